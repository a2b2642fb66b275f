package unpack

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// copies says whether S3 is to copy a part.
func copies(r *http.Request) bool { return r.Header.Get("X-Amz-Copy-Source") != "" }

// S3 copies what is stored out of the archive, whatever the archive's key: of a large entry only the local header is read.
func TestLargeStoredEntriesAreCopied(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := []file{{"a.bin", noise(rand.New(rand.NewPCG(5, 5)), 23<<20), false}}
	var mu sync.Mutex
	var copied, sent int
	var read int64
	proxy := server.FaultProxy(t, true, func(op string, r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		var from, to int64
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); op == "get" && n == 2 {
			read += to - from + 1
		}
		if op == "part" && copies(r) {
			copied++
		} else if op == "part" {
			sent++
		}
		return s3test.NoFault
	})
	j := job(server)
	j.Key = "fo lder/h\u00e9ros+100%.zip"
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	got, err := newUnpacker(t, server.Through(t, proxy), fastOptions()).Run(testContext(t), j)
	if err != nil || !got.Finished {
		t.Fatalf("%+v, %v", got, err)
	}
	wantFiles(t, server, j, list, nil)
	if copied != 5 || sent != 0 || read == 0 || read > mib {
		t.Errorf("%d parts copied, %d sent, %d bytes read", copied, sent, read)
	}
}

// An archive that is replaced while S3 copies out of it: nothing of the other one gets into an object.
func TestArchiveReplacedWhileItIsCopied(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := []file{{"a.bin", noise(rand.New(rand.NewPCG(5, 5)), 23<<20), false}}
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	var once sync.Once
	proxy := server.FaultProxy(t, true, func(op string, r *http.Request) s3test.Fault {
		if op == "part" && copies(r) {
			once.Do(func() { putArchive(t, server, j.Key, make([]byte, 30<<20)) })
		}
		return s3test.NoFault
	})
	_, err := newUnpacker(t, server.Through(t, proxy), fastOptions()).Run(testContext(t), j)
	wantKind(t, err, KindChanged)
	wantOnly(t, server, j, nil)
}
