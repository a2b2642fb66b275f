package transfer

import (
	"net/http"
	"slices"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// An archive with fewer files than it should have is moved, and the missing assets are named; with fewer than it must have, nothing
// is written: however it comes from its source.
func TestAnArchiveWithTooFewFiles(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		for _, way := range []string{"in ranges", "in order", "without length"} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				content := makeZIP(t, 7, size, 3)
				src := newSource(t, content)
				if way != "in ranges" {
					src.set(func() {
						src.hook = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
							serveInOrder(w, content, way == "in order")
							return true
						}
					})
				}
				tr := newTransferer(t, server.Client, fastOptions())
				o := object(server, name+way+".zip")
				o.Least = 4
				_, err := tr.Run(testContext(t), src.url(), o)
				wantKind(t, err, KindIncomplete)
				noObject(t, server, o.Key)
				o.Least, o.Expected = 3, 3
				got, err := tr.Run(testContext(t), src.url(), o)
				if err != nil || got.Entries != 3 || got.Names != nil {
					t.Fatalf("got %+v, %v", got, err)
				}
				o.Expected = 4
				got, err = tr.Run(testContext(t), src.url(), o) // the object is there already
				if err != nil || len(got.Names) != 3 || slices.Contains(got.Names, "") {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		}
	}
	noUploads(t, server)
}
