package scenariotest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	paths := map[string]string{ // with where they exist: g guide, r reference
		"POST /v1/assets/archive": "g", "POST /v1/assets/download": "r", "GET /v1/jobs/job_1": "gr", "GET /v1/jobs": "r",
		"GET /v1/assets/download/job_1": "r", "POST /v1/jobs/job_1/action": "r", "GET /v1/assets": "r",
	}
	for routes, letter := range map[Routes]string{RoutesAll: "", RoutesGuide: "g", RoutesReference: "r"} {
		h := NewHandler(Options{Routes: routes})
		for path, where := range paths {
			method, path, _ := strings.Cut(path, " ")
			r := httptest.NewRequest(method, "http://127.0.0.1"+path, nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r) // without credentials, which API Gateway does not look at
			missing := w.Code == http.StatusForbidden && w.Header().Get("x-amzn-ErrorType") == "MissingAuthenticationTokenException" &&
				w.Body.String() == `{"message":"Missing Authentication Token"}`
			if missing == strings.Contains(where, letter) || !missing && w.Code != http.StatusUnauthorized {
				t.Errorf("routes %q: %s %s: %d %s", routes, method, path, w.Code, w.Body)
			}
		}
	}
	if err := (Options{Routes: "both"}).Validate(); err == nil {
		t.Error("routes that do not exist are taken")
	}
}
