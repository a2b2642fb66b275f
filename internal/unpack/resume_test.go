package unpack

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// interruption lets some data parts of one run pass and then ends it: from then on nothing reaches S3, as after a kill, or
// nothing is answered until the deadline is past.
type interruption struct {
	mu      sync.Mutex
	passing int             // data parts until it begins; -1: never
	held    <-chan struct{} // nil: a kill
	there   map[string]bool // what S3 had before this run
	again   []string        // parts of it that were sent again
}

func partName(key, number string) string { return key + "#" + number }

func (c *interruption) decide(op string, r *http.Request) s3test.Fault {
	ended, held := c.count(op, r)
	if !ended {
		return s3test.NoFault
	}
	if held != nil {
		<-held
	}
	return s3test.Swallow
}

func (c *interruption) count(op string, r *http.Request) (ended bool, held <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passing == 0 || op != "part" {
		return c.passing == 0, c.held
	}
	c.passing--
	if name := partName(r.URL.Path, r.URL.Query().Get("partNumber")); c.there[name] {
		c.again = append(c.again, name)
	}
	return false, nil
}

// begin plans the next run.
func (c *interruption) begin(passing int, held <-chan struct{}, there map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passing, c.held, c.there = passing, held, there
}

// partsThere are the data parts of unfinished uploads.
func partsThere(t *testing.T, s *s3test.Server, prefix string) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	for key, ids := range s.Uploads(t) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(ids) > 1 {
			t.Errorf("%d uploads for %s", len(ids), key)
		}
		out, err := s.Client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &s.Bucket, Key: &key, UploadId: &ids[0]})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Parts {
			if *p.PartNumber <= maxDataParts {
				there[partName("/"+s.Bucket+"/"+key, strconv.Itoa(int(*p.PartNumber)))] = true
			}
		}
	}
	return there
}

func largeFiles() []file {
	random := rand.New(rand.NewPCG(3, 3))
	return []file{
		{"stored.bin", noise(random, 17<<20+1), false},
		{"small.txt", []byte("a small file between two large ones"), true},
		{"deflated.bin", noise(random, 11<<20), true},
	}
}

// A run that is killed, or ends at its deadline, within large entries leaves its parts to the next, which sends none of them
// again, keeps all of them, and ends with the right bytes.
func TestLargeEntriesResume(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := largeFiles()
	archive := zipOf(t, list)
	for seed := range uint64(scheduleCount()/12 + 1) {
		random := rand.New(rand.NewPCG(seed, 11))
		c := &interruption{}
		proxy := server.FaultProxy(t, true, c.decide)
		j := job(server)
		j.Key, j.Prefix = strconv.FormatUint(seed, 10)+".zip", strconv.FormatUint(seed, 10)+"/"
		j.ETag = putArchive(t, server, j.Key, archive)
		u := newUnpacker(t, server.Through(t, proxy), fastOptions())
		const runs = 5
		for run := range runs {
			before := partsThere(t, server, j.Prefix)
			ctx, cancel := context.WithCancel(testContext(t))
			passing, held := 1+random.IntN(6), (<-chan struct{})(nil)
			switch {
			case run == runs-1:
				passing = -1
			case random.IntN(3) == 0:
				ctx, cancel = context.WithTimeout(ctx, 400*time.Millisecond)
				held = ctx.Done()
			}
			c.begin(passing, held, before)
			got, err := u.Run(ctx, j)
			cancel()
			if len(c.again) > 0 {
				t.Errorf("seed %d, run %d: sent again: %v", seed, run, c.again)
			}
			if err != nil || !got.Finished {
				wantResumable(t, err, false)
				wantKept(t, before, partsThere(t, server, j.Prefix), seed, run)
				continue
			}
			wantFiles(t, server, j, list, nil)
		}
		if _, done := server.Object(t, j.Prefix+contentsName); !done {
			t.Errorf("seed %d: not finished, though the last run met no fault", seed)
		}
		if t.Failed() {
			return
		}
	}
}

func wantKept(t *testing.T, before, after map[string]bool, seed uint64, run int) {
	t.Helper()
	for part := range before {
		if !after[part] && hasUpload(after, part) {
			t.Errorf("seed %d, run %d: %s is lost", seed, run, part)
		}
	}
}

// hasUpload says whether the part's key still has an upload, rather than its object.
func hasUpload(parts map[string]bool, part string) bool {
	key, _, _ := strings.Cut(part, "#")
	for p := range parts {
		if strings.HasPrefix(p, key+"#") {
			return true
		}
	}
	return false
}

// interrupted leaves an upload of stored.bin behind.
func interrupted(t *testing.T, server *s3test.Server, j Job) {
	t.Helper()
	c := &interruption{passing: 3}
	u := newUnpacker(t, server.Through(t, server.FaultProxy(t, true, c.decide)), fastOptions())
	_, err := u.Run(testContext(t), j)
	wantKind(t, err, KindStorageUnavailable)
	if len(server.Uploads(t)[j.Prefix+"stored.bin"]) != 1 {
		t.Fatal("no upload is left to resume")
	}
}

// The uploads that are left were begun for another archive: their objects would name it. They are not resumed.
func TestUploadsOfAnotherArchiveAreNotResumed(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := largeFiles()
	j := job(server)
	putArchive(t, server, j.Key, zipOf(t, list))
	interrupted(t, server, j)
	list = append(list, file{"one more.txt", []byte("it makes another archive"), false})
	etag := putArchive(t, server, j.Key, zipOf(t, list))
	if _, err := newUnpacker(t, server.Client, fastOptions()).Run(testContext(t), j); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, server, j, list, nil)
	head, err := server.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &server.Bucket, Key: aws.String(j.Prefix + "stored.bin")})
	if err != nil {
		t.Fatal(err)
	}
	if got := head.Metadata[metaSource]; got != strings.Trim(etag, `"`) {
		t.Errorf("the object names the archive %s; it is of %s", got, etag)
	}
}

// An error that running again does not heal leaves no upload, be it an earlier run's.
func TestNoUploadIsLeftAfterAnErrorForGood(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, largeFiles()))
	interrupted(t, server, j)
	putArchive(t, server, j.Key, bytes.Repeat([]byte("x"), 100))
	_, err := newUnpacker(t, server.Client, fastOptions()).Run(testContext(t), j)
	wantKind(t, err, KindChanged)
	noUploads(t, server, j.Prefix)
}

// A run in which nothing at all becomes of an entry ends with an error: repeating it would never end.
func TestRunWithoutProgressIsAnError(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, largeFiles()[:1]))
	ctx, cancel := context.WithCancelCause(testContext(t))
	defer cancel(nil)
	u := newUnpacker(t, server.Through(t, server.FaultProxy(t, true, func(op string, _ *http.Request) s3test.Fault {
		if op != "part" {
			return s3test.NoFault
		}
		cancel(errCheckpoint)
		return s3test.Swallow
	})), fastOptions())
	r := newRun(u, j)
	wantKind(t, r.run(ctx), KindStorageUnavailable)
	if r.result.Finished {
		t.Error("it says that it finished")
	}
	if err := newUnpacker(t, server.Client, fastOptions()).Abort(testContext(t), j); err != nil {
		t.Error(err)
	}
	noUploads(t, server, j.Prefix)
}
