package scenariotest_test

import (
	"net/http"
	"testing"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// A web page must neither steer the stand-in nor read from it, whichever route it asks for.
func TestWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, _ := s.archive("asset_1")
	routes := []struct{ method, path, body string }{
		{"POST", "/_test/faults", `{"status":500}`}, {"DELETE", "/_test/faults", ""},
		{"GET", "/_test/jobs", ""}, {"POST", "/_test/assets", `[]`}, {"POST", "/v1/assets/archive", oneAsset},
		{"POST", "/v1/assets/download", oneAsset}, {"GET", "/v1/jobs/job_x", ""}, {"GET", "/v1/assets", ""},
		{"GET", "/v1/assets/asset_1", ""}, {"GET", url, ""}, {"GET", "/nothing", ""},
	}
	for _, route := range routes {
		for _, c := range []struct {
			host, origin string
			refused      bool
		}{
			{"", "https://evil.example", true}, {"", "null", true}, {"", "http://localhost:1", true}, {"evil.example", "", true},
			{"127.0.0.1.evil.example", "", true}, {"192.168.0.1", "", true}, {"", "", false}, {"localhost:9", "", false},
			{"localhost:9", "http://localhost:9", false}, {"scenario.test", "", true}, {"[::1]:9", "", false},
		} {
			r := s.request(route.method, route.path, route.body)
			r.SetBasicAuth(scenariotest.DefaultKey, scenariotest.DefaultSecret)
			if c.host != "" {
				r.Host = c.host
			}
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			got := s.do(r)
			if refused := got.StatusCode == http.StatusMisdirectedRequest; refused != c.refused {
				t.Errorf("%s %.30s, Host %q, Origin %q: %d", route.method, route.path, c.host, c.origin, got.StatusCode)
			}
			s.ClearFaults()
		}
	}
}
