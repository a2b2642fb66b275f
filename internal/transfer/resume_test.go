package transfer

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// limit slows every answer down, so that a deadline falls into the middle.
func slowAnswers(content []byte, etag string, pause time.Duration) hook {
	return every(always, func(w http.ResponseWriter, r *http.Request) {
		serve(&slowWriter{w, pause}, r, content, etag)
	})
}

type slowWriter struct {
	http.ResponseWriter
	pause time.Duration
}

func (s *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.ResponseWriter.Write(p)
}

func TestExpiredURLGoesOnWithAFreshOne(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 20, 48<<20, 3)
	src := newSource(t, content)
	o := object(server, "k")
	opt := fastOptions()
	opt.Concurrency = 1
	tr := newTransferer(t, server.Client, opt)
	src.set(func() { src.hook = every(from(6), status(403)) })
	_, err := tr.Run(testContext(t), src.url(), o)
	wantKind(t, err, KindURLExpired)
	if len(server.Uploads(t)["k"]) != 1 {
		t.Fatal("the upload was not kept")
	}
	src.set(func() { src.hook = nil })
	src.served.Store(0)
	got, err := tr.Run(testContext(t), src.URL+"/fresh?Signature=SECRET2", o)
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
	if got.Stats.Resumed == 0 || src.served.Load() > int64(len(content))-int64(got.Stats.Resumed-1)*minPartSize+128<<10 {
		t.Errorf("%d parts resumed, %d bytes served again", got.Stats.Resumed, src.served.Load())
	}
}

func TestResumeChecksTheSource(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	first, second := makeZIP(t, 21, 30<<20, 1), makeZIP(t, 22, 30<<20, 1)
	src := newSource(t, first)
	src.set(func() { src.hook = every(from(6), status(403)) })
	o := object(server, "k")
	opt := fastOptions()
	opt.Concurrency = 1 // some parts are done before the others fail
	tr := newTransferer(t, server.Client, opt)
	_, err := tr.Run(testContext(t), src.url(), o)
	wantKind(t, err, KindURLExpired)
	src.set(func() { src.hook, src.content, src.etag = nil, second, etagOf(second) })
	_, err = tr.Run(testContext(t), src.url(), o)
	wantKind(t, err, KindChanged)
	noUploads(t, server)
	got, err := tr.Run(testContext(t), src.url(), o) // and then it begins again
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", second, got)
}

// A part size that the options changed in between does not matter: the upload keeps its own.
func TestResumeKeepsThePartSize(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 23, 40<<20, 1)
	src := newSource(t, content)
	src.set(func() { src.hook = every(from(7), status(403)) })
	o := object(server, "k")
	_, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), o)
	wantKind(t, err, KindURLExpired)
	src.set(func() { src.hook = nil })
	opt := fastOptions()
	opt.PartSize = 11 << 20
	got, err := newTransferer(t, server.Client, opt).Run(testContext(t), src.url(), o)
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
	if want := (layout{int64(len(content)), firstRange, minPartSize}).count(); got.Stats.Parts != want || got.Stats.Resumed == 0 {
		t.Errorf("%d parts, %d resumed; want %d parts, some resumed", got.Stats.Parts, got.Stats.Resumed, want)
	}
}

func TestDeadlineMakesACheckpoint(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 24, 30<<20, 1)
	for name, inOrder := range map[string]bool{"ranges": false, "in order": true} {
		t.Run(name, func(t *testing.T) {
			src := newSource(t, content)
			if inOrder {
				src.set(func() {
					src.hook = every(always, func(w http.ResponseWriter, _ *http.Request) {
						serveInOrder(&countingWriter{&slowWriter{w, time.Millisecond}, &src.served}, content, true)
					})
				})
			} else {
				src.set(func() { src.hook = slowAnswers(content, src.etag, 5*time.Millisecond) })
			}
			o := object(server, name)
			tr := newTransferer(t, server.Client, fastOptions())
			var got Result
			allowed, longer := time.Second, 300*time.Millisecond
			if inOrder { // must read past what it has, or say that it cannot
				longer = time.Minute
			}
			for runs := 0; !got.Finished; runs++ {
				if runs == 40 {
					t.Fatal("no end in 40 runs")
				}
				ctx, cancel := context.WithTimeout(t.Context(), allowed)
				before := got.BytesDone
				var err error
				got, err = tr.Run(ctx, src.url(), o)
				if err != nil {
					t.Logf("run %d: %v", runs, err)
					if e := err.(*Error); !e.Kind.Resumable() {
						t.Fatal(err)
					}
				}
				if err == nil && !got.Finished && got.BytesDone < before {
					t.Errorf("went back from %d to %d bytes", before, got.BytesDone)
				}
				allowed += longer
				cancel()
			}
			wantObject(t, server, name, content, got)
		})
	}
}

func TestTwoRunsAtOnceAgree(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 25, 40<<20, 1)
	src := newSource(t, content)
	o := object(server, "k")
	var wg sync.WaitGroup
	results := make([]Result, 3)
	errs := make([]error, 3)
	for i := range results {
		wg.Go(func() {
			tr := newTransferer(t, server.Client, fastOptions())
			for range 3 { // as the state machine does
				if results[i], errs[i] = tr.Run(testContext(t), src.url(), o); errs[i] == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("run %d: %v", i, err)
			continue
		}
		wantObject(t, server, "k", content, results[i])
	}
}

func TestAbortLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	src := newSource(t, makeZIP(t, 26, 30<<20, 1))
	// By range, not by count: requests of the Run before may still come in.
	src.set(func() {
		src.hook = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") {
				return false
			}
			status(403)(w, r)
			return true
		}
	})
	tr := newTransferer(t, server.Client, fastOptions())
	mine, theirs, longer := object(server, "k"), object(server, "k"), object(server, "k/longer")
	theirs.Owner = "somebody else"
	for _, o := range []Object{mine, theirs, longer} {
		_, err := tr.Run(testContext(t), src.url(), o)
		wantKind(t, err, KindURLExpired)
	}
	foreign, err := server.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &server.Bucket, Key: &mine.Key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &server.Bucket, Key: &mine.Key,
		UploadId: foreign.UploadId, PartNumber: ptr(int32(1)), Body: strings.NewReader("theirs")}); err != nil {
		t.Fatal(err)
	}
	if err := tr.Abort(testContext(t), mine); err != nil {
		t.Fatal(err)
	}
	if left := server.Uploads(t); len(left["k"]) != 2 || len(left["k/longer"]) != 1 {
		t.Errorf("left: %v; want theirs, the foreign one, and the longer key's", left)
	}
	if err := tr.Abort(testContext(t), mine); err != nil {
		t.Errorf("abort without an upload: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestOrphansAreAbortedWhenOld(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	src := newSource(t, makeZIP(t, 27, 20<<20, 1))
	o := object(server, "k")
	if _, err := server.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &o.Bucket, Key: &o.Key}); err != nil {
		t.Fatal(err)
	}
	opt := fastOptions()
	opt.OrphanAge = time.Hour
	if _, err := newTransferer(t, server.Client, opt).Run(testContext(t), src.url(), o); err != nil {
		t.Fatal(err)
	}
	if n := len(server.Uploads(t)["k"]); n != 1 {
		t.Errorf("%d uploads; the young one is to be left alone", n)
	}
	if err := newTransferer(t, server.Client, fastOptions()).Abort(testContext(t), o); err != nil {
		t.Fatal(err)
	}
	noUploads(t, server)
}

func TestCanceledRunLeavesTheUpload(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 28, 40<<20, 1)
	src := newSource(t, content)
	ctx, cancel := context.WithCancel(t.Context())
	src.set(func() {
		src.hook = func(_ http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 5 {
				cancel()
			}
			return false
		}
	})
	o := object(server, "k")
	tr := newTransferer(t, server.Client, fastOptions())
	_, err := tr.Run(ctx, src.url(), o)
	wantKind(t, err, KindCanceled)
	got, err := tr.Run(testContext(t), src.url(), o)
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
}
