package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are requests that nobody with good intentions sends: method, path, body and Idempotency-Key.
func hostile() [][4]string {
	list := [][4]string{
		{"POST", "/archives", strings.Repeat("a", 10<<20), ""},
		{"POST", "/archives", strings.Repeat(`{"a":`, 500_000), ""},
		{"POST", "/archives", strings.Repeat("[", 4<<20-1), ""},
		{"POST", "/archives", unknownNames(38_000), ""},
		{"POST", "/archives", `{"query":{"assetIds":["a"]},"query":{"assetIds":["b"]}}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":["a"],"assetIds":["b"]}}`, ""},
		{"POST", "/archives", "{\"query\":{\"assetIds\":[\"\xff\xfe\"]}}", ""},
		{"POST", "/archives", `{"query":{"assetIds":["a\u0000b"]}}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":["a"]},"timeoutSeconds":1e400}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":["a"]},"timeoutSeconds":` + strings.Repeat("9", 10_000) + `}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":["a"]},"timeoutSeconds":-0.5}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":[` + strings.Repeat(`"a",`, 300_000) + `"a"]}}`, ""},
		{"POST", "/archives", `{"query":{"assetIds":["<img src=x onerror=alert(1)>"]}}`, ""},
		{"POST", "/archives", `{"list":{"key":"requests/secret.txt"}}`, ""},
		{"POST", "/archives", good, "a\"b\\c\r\nX-Evil: 1"}, {"POST", "/archives", good, strings.Repeat("k", 10_000)},
		{"POST", "/archives", good, "\x00"}, {"POST", "/archives", good, "../../etc/passwd"}, {"POST", "/archives", good, "日本\u202e"},
		{"PUT", "/archives", "", ""}, {"TRACE", "/archives", "", ""}, {"GET", "/archives/..%2f..%2fsecret", "", ""},
		{"GET", "/archives/%2e%2e/files", "", ""}, {"GET", "/archives/" + strings.Repeat("a", 9000), "", ""}, {"GET", "/archives/%ff", "", ""},
		{"GET", "/archives/%00", "", ""}, {"GET", "/archives/a%0d%0aSet-Cookie:%20x=1", "", ""}, {"GET", "//archives", "", ""},
		{"DELETE", "/archives/arn:aws:states:us-east-1:999999999999:execution:other:x", "", ""}, {"GET", "/archives/x:y/files?limit=-1", "", ""},
		{"GET", "/archives?limit=99999999999999999999", "", ""}, {"GET", "/archives?cursor=" + strings.Repeat("A", 9000), "", ""},
		{"GET", "/archives?status=%00&kind=%ff", "", ""}, {"GET", "/archives?a=1&a=2&" + strings.Repeat("b=1&", 5000), "", ""},
		{"GET", "/archives?cursor=%25%25", "", ""}, {"GET", "/archives?%zz=1", "", ""}, {"GET", "/archives?limit=1&limit=2", "", ""},
		{"GET", "/syncs?cursor=%00", "", ""}, {"GET", "/syncs/", "", ""}, {"POST", "/syncs", strings.Repeat("[", 8<<10), ""},
		{"POST", "/syncs", unknownNames(10_000), ""}, {"POST", "/syncs", "{\"name\":\"\xff\"}", ""}, {"POST", "/syncs", `{"name":"../x"}`, ""},
		{"POST", "/syncs", "{\"name\":\"x\",\"select\":{\"\xff\xfe\":1}}", ""}, {"POST", "/syncs", `{"name":"x","destination":{"prefix":"a\u0000b"}}`, ""},
		{"POST", "/syncs", `{"name":"x","select":{"createdAfter":"0000-01-01T00:00:00+23:59"},"tags":{"":"","a":null}}`, ""},
	}
	for _, key := range []string{"../x.zip", "a/../../x.zip", "%2e%2e/x.zip", "a\r\nX: y.zip", "a\x00.zip", "/x.zip", "requests/x.json", "batches/x",
		"a//b.zip", "<script>.zip", strings.Repeat("k", 5000), "a\\b.zip", "\u202egpj.zip", " .zip", "a/./b.zip", "syncs/x.json"} {
		text, _ := json.Marshal(key)
		for _, field := range []string{"key", "prefix"} {
			list = append(list, [4]string{"POST", "/archives", fmt.Sprintf(`{"query":{"assetIds":["a"]},"destination":{%q:%s}}`, field, text), ""})
		}
	}
	return list
}

func unknownNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `%c"%s%d":0`, "{,"[min(i, 1)], strings.Repeat(`\u0001`, 14), i)
	}
	return b.String() + "}"
}

// Whatever comes gets a whole answer: a success, or a problem of its own making that is small and says what is wrong.
func checkAnswer(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	if w.Code >= 500 || w.Code < 200 {
		t.Errorf("%s: got %d %.300s", what, w.Code, body)
	}
	if len(body) > 20_000 || !utf8.ValidString(body) || len(body) > 0 && !json.Valid([]byte(body)) {
		t.Errorf("%s: the answer of %d bytes is no small JSON: %.300s", what, len(body), body)
	}
	for name, values := range w.Header() {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") || len(v) > 10_000 {
				t.Errorf("%s: header %s: %.100q", what, name, v)
			}
		}
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || strings.Contains(w.Header().Get("Content-Type"), "html") {
		t.Errorf("%s: headers %v", what, w.Header())
	}
}

func serveHostile(f *fixture, method, target, body, key string) (*httptest.ResponseRecorder, bool) {
	u, err := url.ParseRequestURI(target)
	if err != nil || method == "" {
		return nil, false
	}
	r := &http.Request{Method: method, URL: u, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, RequestURI: target}
	if body != "" {
		r = httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, u, target
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header["Idempotency-Key"] = []string{key}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w, true
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, h := range hostile() {
		if w, ok := serveHostile(f, h[0], h[1], h[2], h[3]); ok {
			checkAnswer(t, fmt.Sprintf("%s %.60s %.100s %.30q", h[0], h[1], h[2], h[3]), w)
		}
	}
	if w, _ := serveHostile(f, "POST", "/archives", unknownNames(38_000), ""); w.Code != 422 || !strings.Contains(w.Body.String(), "more") {
		t.Errorf("38,000 unknown names: got %d %.300s", w.Code, w.Body)
	}
	for id, input := range f.sfn.Inputs() {
		if strings.Contains(input, "..") || strings.Contains(input, "\\u0000") || strings.Contains(input, "requests/") || strings.Contains(id, "..") {
			t.Errorf("%s was started with %.300s", id, input)
		}
	}
}

func FuzzAPI(f *testing.F) {
	for _, h := range hostile() {
		if len(h[1])+len(h[2])+len(h[3]) < 5000 {
			f.Add(h[0], h[1], h[2], h[3])
		}
	}
	f.Fuzz(func(t *testing.T, method, target, body, key string) {
		if w, ok := serveHostile(newFixture(t), method, target, body, key); ok {
			checkAnswer(t, fmt.Sprintf("%s %s %s %q", method, target, body, key), w)
		}
	})
}
