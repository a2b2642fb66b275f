package transfer

import (
	"fmt"
	"io"
	"maps"
	"net/http"

	"strings"

	"sync/atomic"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

type hook = func(w http.ResponseWriter, r *http.Request, n int) bool

// every lets f answer those requests that when says yes to.
func every(when func(n int) bool, f func(w http.ResponseWriter, r *http.Request)) hook {
	return func(w http.ResponseWriter, r *http.Request, n int) bool {
		if !when(n) {
			return false
		}
		f(w, r)
		return true
	}
}

func always(int) bool           { return true }
func from(k int) func(int) bool { return func(n int) bool { return n >= k } }
func only(k int) func(int) bool { return func(n int) bool { return n == k } }
func status(code int, kv ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(kv); i += 2 {
			w.Header().Set(kv[i], kv[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "<html>no</html>")
	}
}

// cutAfter breaks an otherwise honest answer off.
func cutAfter(content []byte, etag string, n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		serve(&cuttingWriter{w, n}, r, content, etag)
	}
}

type cuttingWriter struct {
	http.ResponseWriter
	left int
}

func (c *cuttingWriter) Write(p []byte) (int, error) {
	if c.left < len(p) {
		_, _ = c.ResponseWriter.Write(p[:c.left])
		cut()
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// lie is a source that does not do what it should.
type lie struct {
	hook  hook
	stall time.Duration // when silence is a stall; 0: as usual
	want  Kind          // "" means: the exact object
}

// liesInOrder are those of sources without ranges, or without what two ranges could be compared by.
func liesInOrder(content, other []byte) map[string]lie {
	return map[string]lie{
		"ignores ranges":            {hook: every(always, func(w http.ResponseWriter, _ *http.Request) { serveInOrder(w, content, true) })},
		"neither ranges nor length": {hook: every(always, func(w http.ResponseWriter, _ *http.Request) { serveInOrder(w, content, false) })},
		"in order, and breaks off once": {hook: func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				w = &cuttingWriter{w, 10 << 20}
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = w.Write(content[:9<<20])
				_, _ = w.Write(content[9<<20:])
			}
			serveInOrder(w, content, true)
			return true
		}},
		"in order, and another archive after the break": {want: KindChanged, hook: func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = w.Write(content[:10<<20])
				cut()
			}
			serveInOrder(w, other[:len(content)], true)
			return true
		}},
		"no validator": {hook: every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, content, "") })},
		"weak ETag":    {hook: every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, content, `W/"x"`) })},
		"Last-Modified alone": {hook: every(always, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), strings.NewReader(string(content)))
		})},
	}
}

// liesInRanges are wrong answers to ranges, and answers that stop.
func liesInRanges(content []byte) map[string]lie {
	etag := etagOf(content)
	stall := func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			_ = recover()
			<-r.Context().Done()
		}()
		serve(&cuttingWriter{w, 100_000}, r, content, etag)
	}
	return map[string]lie{
		"shrinks":                {hook: every(from(2), func(w http.ResponseWriter, r *http.Request) { serve(w, r, content[:1<<20], etag) }), want: KindCorrupt},
		"every answer is cut":    {hook: every(always, cutAfter(content, etag, 3<<20))},
		"cut at once, always":    {hook: every(from(2), cutAfter(content, etag, 0)), want: KindSourceUnavailable},
		"page with status 200":   {hook: every(always, status(200, "Content-Type", "text/html")), want: KindCorrupt},
		"page once":              {hook: every(only(1), status(200, "Content-Type", "text/html"))},
		"page in mid-way":        {hook: every(from(2), status(200, "Content-Type", "text/html")), want: KindChanged},
		"ignores the range once": {hook: every(only(2), func(w http.ResponseWriter, _ *http.Request) { serveInOrder(w, content, true) })},
		"another range, once": {hook: every(only(2), func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=5-9")
			serve(w, r, content, etag)
		})},
		"another range, always": {hook: every(from(2), func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=5-9")
			serve(w, r, content, etag)
		}), want: KindSourceUnavailable},
		"nonsense Content-Range": {hook: every(from(2), status(206, "Content-Range", "bytes 9-5/x")), want: KindSourceUnavailable},
		"stalls for ever":        {stall: 100 * time.Millisecond, hook: every(from(2), stall), want: KindSourceUnavailable},
		"stalls once":            {stall: 500 * time.Millisecond, hook: every(only(2), stall)},
	}
}

// refusals are statuses that are no archive, and archives that are none.
func refusals(content []byte) map[string]lie {
	etag := etagOf(content)
	return map[string]lie{
		"429 in between":           {hook: every(only(3), status(429, "Retry-After", "0"))},
		"429 with a long wait":     {hook: every(from(2), status(429, "Retry-After", "3600")), want: KindSourceUnavailable},
		"500 in between":           {hook: every(func(n int) bool { return n%3 == 2 }, status(500))},
		"500 for ever":             {hook: every(from(3), status(500)), want: KindSourceUnavailable},
		"refused from the start":   {hook: every(always, status(403)), want: KindURLExpired},
		"gone in mid-way":          {hook: every(from(3), status(410)), want: KindURLExpired},
		"nothing there":            {hook: every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, nil, `"e"`) }), want: KindCorrupt},
		"cut short before its end": {hook: every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, content[:len(content)-30], etag) }), want: KindCorrupt},
		"small and cut short":      {hook: every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, content[:1<<20], etag) }), want: KindCorrupt},
		"redirects": {hook: func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if strings.HasPrefix(r.URL.Path, "/archive") {
				http.Redirect(w, r, "/elsewhere?Signature=SECRET", http.StatusFound)
				return true
			}
			if r.Header.Get("Referer") != "" {
				w.WriteHeader(http.StatusTeapot)
				return true
			}
			return false
		}},
		"redirects inwards": {hook: every(always, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest?x=SECRET", http.StatusFound)
		}), want: KindForbidden},
		"redirects in circles": {hook: every(always, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/archive.zip?Signature=SECRET", http.StatusFound)
		}), want: KindNoArchive},
	}
}

func TestSourcesThatLie(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content, other := makeZIP(t, 10, 14<<20, 2), makeZIP(t, 11, 14<<20, 2)
	lies := liesInOrder(content, other)
	maps.Copy(lies, liesInRanges(content))
	maps.Copy(lies, refusals(content))
	for name, c := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := newSource(t, content)
			src.set(func() { src.hook = c.hook })
			o, opt := object(server, name), fastOptions()
			if c.stall > 0 {
				opt.StallTimeout = c.stall
			}
			tr := newTransferer(t, server.Client, opt)
			got, err := tr.Run(testContext(t), src.url(), o)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if data, _ := server.Object(t, name); string(data) != string(content) {
					t.Fatal("the object is not the archive")
				}
				if got.Entries != 2 {
					t.Errorf("%d entries", got.Entries)
				}
			} else {
				wantKind(t, err, c.want)
				noObject(t, server, name)
			}
			if c.want.Resumable() {
				if err := tr.Abort(testContext(t), o); err != nil {
					t.Error(err)
				}
			}
			noUploadsAt(t, server, name)
		})
	}
}

// An archive that becomes another one is never joined with it: it is refused, or, where nothing of the first is in S3 yet,
// the second is what arrives.
func TestSourceThatBecomesAnother(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content, other := makeZIP(t, 10, 24<<20, 2), makeZIP(t, 11, 24<<20, 2)
	for _, k := range []int{2, 4, 6} {
		src := newSource(t, content)
		src.set(func() {
			src.hook = every(from(k), func(w http.ResponseWriter, r *http.Request) { serve(w, r, other, etagOf(other)) })
		})
		key := fmt.Sprint("k", k)
		got, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), object(server, key))
		if err == nil {
			wantObject(t, server, key, other, got)
			continue
		}
		wantKind(t, err, KindChanged)
		noObject(t, server, key)
		noUploads(t, server)
	}
}

// What the archive's host gets to see.
func TestRequestsAreAnonymousAndUncompressed(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	src := newSource(t, makeZIP(t, 12, 19<<20, 1))
	var wrong atomic.Value
	src.set(func() {
		src.hook = func(_ http.ResponseWriter, r *http.Request, n int) bool {
			h := r.Header
			if r.Method != http.MethodGet || h.Get("Authorization") != "" || h.Get("Cookie") != "" ||
				h.Get("Accept-Encoding") != "identity" || n > 1 && h.Get("If-Range") != src.etag {
				wrong.Store(fmt.Sprint(r.Method, h))
			}
			return false
		}
	})
	if _, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), object(server, "k")); err != nil {
		t.Fatal(err)
	}
	if w := wrong.Load(); w != nil {
		t.Errorf("request: %v", w)
	}
}
