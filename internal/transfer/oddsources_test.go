package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// inRange answers honestly unless a range is asked for, from the k-th request on.
func inRange(k int, f func(w http.ResponseWriter, r *http.Request)) hook {
	return func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n < k || r.Header.Get("Range") == "" {
			return false
		}
		f(w, r)
		return true
	}
}

// untilClose answers as HTTP/1.0 does without a length: only the connection's end ends it.
func untilClose(w http.ResponseWriter, body []byte) {
	conn, _, err := w.(*countingWriter).ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Type: application/zip\r\n\r\n")
	_, _ = conn.Write(body)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func encoded(name string, body []byte) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", name)
		serve(w, r, body, etagOf(body))
	}
}

// partial writes a 206 with a Content-Range of its own; chunked: without a length.
func partial(w http.ResponseWriter, contentRange string, body []byte, chunked bool) {
	if contentRange != "" {
		w.Header().Set("Content-Range", contentRange)
	}
	if !chunked {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	w.WriteHeader(http.StatusPartialContent)
	for len(body) > 0 {
		n, err := w.Write(body[:min(len(body), 32<<10)])
		if err != nil {
			return
		}
		body = body[n:]
		if chunked {
			w.(*countingWriter).ResponseWriter.(http.Flusher).Flush()
		}
	}
}

func asked(r *http.Request, size int) (from, to int) {
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
	return from, min(to+1, size)
}

// oddArchives are sources of which a plain request for the whole gives the exact archive, sooner or later.
func oddArchives(content []byte) map[string]hook {
	etag, size := etagOf(content), len(content)
	nodes := func(honourIfRange bool) hook {
		return func(w http.ResponseWriter, r *http.Request, n int) bool {
			if !honourIfRange {
				r.Header.Del("If-Range")
			}
			serve(w, r, content, fmt.Sprintf(`"node-%d"`, n%3))
			return true
		}
	}
	return map[string]hook{
		"chunked, cut twice": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n <= 2 {
				serveInOrder(w, content[:size*n/3], false)
				cut()
			}
			serveInOrder(w, content, false)
			return true
		},
		"until close, cut twice": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			untilClose(w, content[:min(size, size*n/3)])
			return true
		},
		"a chunked answer that ends early in due form": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			serveInOrder(w, content[:min(size, size*n/2)], false)
			return true
		},
		"ETag of the node": nodes(true), "ETag of the node, without conditions": nodes(false),
		"a date that is too young for conditions": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if r.Header.Get("If-Range") != "" {
				r.Header.Del("Range")
			}
			http.ServeContent(w, r, "a.zip", time.Now().Add(-time.Second).Truncate(time.Minute), bytes.NewReader(content))
			return true
		},
		"256 KiB of each range at most": inRange(1, func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, min(to, from+256<<10)-1))
			serve(w, r, content, etag)
		}),
		"100 bytes of each range at most": inRange(1, func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, min(to, from+100)-1))
			serve(w, r, content, etag)
		}),
	}
}

// oddEncodings are Content-Encodings that nobody asked for, true ones and others.
func oddEncodings(content []byte) map[string]hook {
	packed := gzipped(content)
	return map[string]hook{
		"said to be gzip": every(always, encoded("gzip", content)), "aws-chunked": every(always, encoded("aws-chunked", content)),
		"said to be base64": every(always, encoded("base64", content)), "gzip": every(always, encoded("gzip", packed)),
		"gzip in order": every(always, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			encoded("gzip, aws-chunked", packed)(w, r)
		}),
		"gzip, cut once": func(w http.ResponseWriter, r *http.Request, n int) bool {
			w.Header().Set("Content-Encoding", "gzip")
			if n == 1 {
				w = &cuttingWriter{w, len(content) / 2}
			}
			serveInOrder(&countingWriter{w, new(atomic.Int64)}, packed, true)
			return true
		},
	}
}

// oddLengths are answers to a range of another length than they, or the request, say.
func oddLengths(content []byte) map[string]http.HandlerFunc {
	etag, size := etagOf(content), len(content)
	return map[string]http.HandlerFunc{
		"no size": func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			partial(w, fmt.Sprintf("bytes %d-%d/*", from, to-1), content[from:to], false)
		},
		"bytes 0-99 of unknown":   func(w http.ResponseWriter, r *http.Request) { partial(w, "bytes 0-99/*", content[:100], false) },
		"no Content-Range":        func(w http.ResponseWriter, r *http.Request) { partial(w, "", content[:1000], false) },
		"everything, said as 206": func(w http.ResponseWriter, r *http.Request) { partial(w, "", content, false) },
		"a longer body": func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			w.Header().Set("ETag", etag)
			partial(w, fmt.Sprintf("bytes %d-%d/%d", from, to-1, size), append(bytes.Clone(content[from:to]), content[:200]...), true)
		},
		"more than was asked for": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", etag)
			partial(w, fmt.Sprintf("bytes 0-%d/%d", size-1, size), content, false)
		},
		"another size": func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			w.Header().Set("ETag", etag)
			partial(w, fmt.Sprintf("bytes %d-%d/%d", from, to-1, size+7), content[from:to], false)
		},
		"another length": func(w http.ResponseWriter, r *http.Request) {
			from, to := asked(r, size)
			w.Header().Set("ETag", etag)
			partial(w, fmt.Sprintf("bytes %d-%d/%d", from, to-1, size), content[from:to-1], false)
		},
	}
}

// oddStatuses are answers to a range that are none.
func oddStatuses(content []byte) map[string]http.HandlerFunc {
	whole := func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Range")
		serve(w, r, content, etagOf(content))
	}
	return map[string]http.HandlerFunc{
		"empty": func(w http.ResponseWriter, r *http.Request) { partial(w, "", nil, false) },
		"204":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"304":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"412":   status(412), "416": status(416), "400": status(400), "403": status(403), "404": status(404), "405": status(405),
		"500": status(500), "501": status(501), "502": status(502), "503": status(503), "a page": status(200, "Content-Type", "text/html"),
		"everything": whole, "closed": func(http.ResponseWriter, *http.Request) { cut() },
		"a redirect in a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
	}
}

// oddities are all of them: the answers to ranges from the first request on, or in mid-way.
func oddities(content []byte) map[string]hook {
	list, answers := oddArchives(content), oddLengths(content)
	maps.Copy(list, oddEncodings(content))
	maps.Copy(answers, oddStatuses(content))
	for _, k := range []int{1, 3} {
		for name, f := range answers {
			list[fmt.Sprintf("ranges from the %d. request: %s", k, name)] = inRange(k, f)
		}
	}
	return list
}

// From ranges there is a way down: what a plain request gives is what arrives, whatever the answers to ranges are.
func TestOddSourcesArriveWhole(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for size, content := range map[string][]byte{"small": makeZIP(t, 60, 300_000, 2), "large": makeZIP(t, 61, int(firstRange+minPartSize)+100_000, 2)} {
		for name, f := range oddities(content) {
			t.Run(size+"/"+name, func(t *testing.T) {
				t.Parallel()
				src := newSource(t, content)
				src.set(func() { src.hook = f })
				o := object(server, size+name)
				got, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), o)
				if err != nil {
					t.Fatalf("%v (%d requests)", err, src.count.Load())
				}
				if data, _ := server.Object(t, o.Key); !bytes.Equal(data, content) || got.Entries != 2 {
					t.Error("the object is not the archive")
				}
				noUploadsAt(t, server, o.Key)
				if n := src.count.Load(); n > 150 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}

// What no retry heals is said soon, by the right name and in words that fit.
func TestOddSourcesThatHoldNoArchive(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 62, 300_000, 2)
	for name, c := range map[string]struct {
		hook  hook
		kind  Kind
		words string
	}{
		"no content":                            {every(always, status(204)), KindNoArchive, "HTTP 204, which holds no archive"},
		"brotli":                                {every(always, encoded("br", []byte("\x1b\x00brotli"))), KindNoArchive, "encodes it (br)"},
		"two encodings":                         {every(always, encoded("gzip, br", []byte("\x1b\x00brotli"))), KindNoArchive, "encodes it (gzip, br)"},
		"damaged gzip":                          {every(always, encoded("gzip", append(gzipped(content)[:50_000], gzipped(content)[60_000:]...))), KindNoArchive, "encoding is damaged"},
		"circle":                                {every(always, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }), KindNoArchive, "in a circle"},
		"bad request":                           {every(always, status(400)), KindNoArchive, "HTTP 400"},
		"expired, by S3":                        {every(always, func(w http.ResponseWriter, _ *http.Request) { s3test.Refuse(w, 400, "ExpiredToken") }), KindURLExpired, "HTTP 400"},
		"not allowed":                           {every(always, status(405)), KindNoArchive, "HTTP 405"},
		"a page":                                {every(always, status(200, "Content-Type", "text/html")), KindCorrupt, "a page (text/html)"},
		"nothing":                               {every(always, func(w http.ResponseWriter, r *http.Request) { serve(w, r, nil, `"e"`) }), KindCorrupt, "empty (0 bytes)"},
		"nothing, chunked":                      {every(always, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }), KindCorrupt, "empty (0 bytes)"},
		"ranges outside, whatever is asked for": {every(always, status(416, "Content-Range", "bytes */300000")), KindNoArchive, "HTTP 416"},
		"redirect without a place":              {every(always, status(302)), KindNoArchive, "HTTP 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := newSource(t, content)
			src.set(func() { src.hook = c.hook })
			o := object(server, name)
			_, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), o)
			wantKind(t, err, c.kind)
			if !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %q does not say %q", err, c.words)
			}
			if strings.Contains(err.Error(), "empty") != strings.Contains(c.words, "empty") {
				t.Errorf("%q: empty is said of what is empty", err)
			}
			if n := src.count.Load(); n > 80 {
				t.Errorf("%d requests", n)
			}
			noObject(t, server, o.Key)
		})
	}
}

// What stands raw in a URL or in a redirect's is escaped as fetch does, and the signature is left alone.
func TestRawURLs(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 63, 12<<20, 2)
	const signature = "Signature=a%2Bb+c~-_"
	for name, c := range map[string]struct{ path, redirect, want string }{
		"blank in the query":      {path: "/a.zip?name=my heroes&" + signature, want: "/a.zip?name=my%20heroes&" + signature},
		"blank in the path":       {path: "/my heroes.zip?" + signature, want: "/my%20heroes.zip?" + signature},
		"blank in a redirect":     {path: "/a.zip?" + signature, redirect: "/b c.zip?name=my heroes&" + signature, want: "/b%20c.zip?name=my%20heroes&" + signature},
		"bare percent":            {path: "/100%.zip?p=100%&" + signature, want: "/100%.zip?p=100%&" + signature},
		"bare percent, redirects": {path: "/a.zip", redirect: "/100%.zip?" + signature, want: "/100%.zip?" + signature},
	} {
		src := rawServer(t, func(uri string) (redirect string, body []byte) {
			if uri == c.want {
				return "", content
			}
			return c.redirect, nil
		})
		got, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src+c.path, object(server, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantObject(t, server, name, content, got)
	}
}

// rawServer answers what a request's line asks for, as it stands there: Go's server refuses a bare percent.
func rawServer(t *testing.T, answer func(uri string) (redirect string, body []byte)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fields := strings.Fields(line)
			if redirect, body := answer(fields[1]); body != nil {
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(body))
				_, _ = conn.Write(body)
			} else if redirect != "" {
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", redirect)
			} else {
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			}
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}
