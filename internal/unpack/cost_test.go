package unpack

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// The requests that docs/cost.md counts for the unpacking of an archive: a PUT for each file, a GET for each 5 MiB of
// files, and for the whole a PUT (contents.jsonl), three lists (one is a "get" here), four GETs of the directory, two HEADs.
func TestRequestsToS3(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files, size int
		want        map[string]int
	}{
		"900 small files":     {900, 1 << 10, map[string]int{"put": 901, "get": 6, "head": 2, "listUploads": 2}},
		"30 files of 2 MiB":   {30, 2 << 20, map[string]int{"put": 31, "get": 20, "head": 2, "listUploads": 2}},
		"a file in two parts": {1, 6 << 20, map[string]int{"put": 1, "create": 1, "label": 2, "part": 2, "complete": 1, "get": 6, "head": 2, "listUploads": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			list := make([]file, c.files)
			for i := range list {
				list[i] = file{fmt.Sprintf("asset_%04d.png", i), bytes.Repeat([]byte{1}, c.size), false}
			}
			j := job(server)
			j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
			var mu sync.Mutex
			got := map[string]int{}
			proxy := server.FaultProxy(t, true, func(op string, _ *http.Request) s3test.Fault {
				mu.Lock()
				defer mu.Unlock()
				got[op]++
				return s3test.NoFault
			})
			if _, err := newUnpacker(t, server.Through(t, proxy), fastOptions()).Run(testContext(t), j); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("requests %v, want %v: docs/cost.md has these counts", got, c.want)
			}
		})
	}
}
