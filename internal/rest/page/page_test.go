package page

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func serve(method, target string) *httptest.ResponseRecorder {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	w := httptest.NewRecorder()
	Handler(next).ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestPageIsAtTheRootAlone(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]int{
		"GET /": 200, "HEAD /": 200, "GET /?a=1": 200, "POST /": 418, "GET /index.html": 418, "GET /archives": 418, "OPTIONS /": 418,
	} {
		method, target, _ := strings.Cut(request, " ")
		if got := serve(method, target).Code; got != want {
			t.Errorf("%s: got %d, want %d", request, got, want)
		}
	}
}

// What the policy allows is worth nothing when the document needs more, or when it makes markup of data.
func TestPageNeedsNothingThatThePolicyForbids(t *testing.T) {
	t.Parallel()
	w := serve("GET", "/")
	policy, text := w.Header().Get("Content-Security-Policy"), w.Body.String()
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
		strings.Contains(policy, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") { // the hash of nothing
		t.Errorf("policy: %s", policy)
	}
	for _, element := range []string{"script", "style"} {
		if n := strings.Count(text, "<"+element); n != 1 {
			t.Errorf("%d elements %s; the policy names one", n, element)
		}
	}
	for what, pattern := range map[string]string{
		"inline handler":    `(?i)<[^>]+\son[a-z]+\s*=`,
		"inline style":      `(?i)<[^>]+\sstyle\s*=`,
		"external resource": `(?i)(src|href|url|import)\s*[=(]\s*["']?(https?:)?//`,
		"markup from data":  `innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function`,
		"style from script": `\.style\b|setAttribute\(["']style`,
	} {
		if found := regexp.MustCompile(pattern).FindString(text); found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
}
