package unpack

import (
	"math/rand/v2"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestRun(t *testing.T) {
	t.Parallel()
	large := rand.New(rand.NewPCG(3, 3))
	for name, list := range map[string][]file{
		"empty": nil, "one": files(1, 1, 1000), "many small": files(2, 700, 2000),
		"mixed": append(files(4, 20, 3<<20), file{"large.bin", noise(large, 23<<20), false}, file{"large.glb", noise(large, 12<<20+7), true}, file{"empty.txt", nil, false}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			j := job(server)
			j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
			u := newUnpacker(t, server.Client, fastOptions())
			got, err := u.Run(testContext(t), j)
			if err != nil || !got.Finished || got.Objects != int64(len(list)) || got.Written != got.Objects {
				t.Fatalf("%+v, %v", got, err)
			}
			wantFiles(t, server, j, list, nil)
			again, err := u.Run(testContext(t), j)
			if err != nil || !again.Repeated || again.Written != 0 || again.Objects != got.Objects || again.Bytes != got.Bytes || again.Contents != got.Contents {
				t.Errorf("the repeat: %+v, %v; the first: %+v", again, err, got)
			}
		})
	}
}
