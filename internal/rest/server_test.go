package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func newServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// post starts an archive over a connection, and returns its ID.
func post(t *testing.T, s *httptest.Server, key, body string) string {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/archives", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	var out struct{ ID, Detail string }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Errorf("%s: got %d %v %v", key, resp.StatusCode, out, err)
	}
	return out.ID
}
