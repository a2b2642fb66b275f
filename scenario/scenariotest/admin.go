package scenariotest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

const maxAssetsBody = 64 << 20

// admin is an endpoint for tests, which needs no credentials and so lets only this machine in. What do gives is the
// answer; nil: 204.
func admin(maxBody int64, do func(body []byte) (map[string]any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() {
			failure(http.StatusForbidden, "The test endpoints are for loopback only").write(w, 0)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		var answer map[string]any
		if err == nil {
			answer, err = do(body)
		}
		switch {
		case err != nil:
			failure(http.StatusBadRequest, err.Error()).write(w, 0)
		case answer == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			success(answer).write(w, 0)
		}
	}
}

func (h *Handler) postFaults(body []byte) (map[string]any, error) {
	list, err := ParseFaults(body)
	h.faults.add(list...)
	return nil, err
}

func (h *Handler) deleteFaults([]byte) (map[string]any, error) {
	h.ClearFaults()
	return nil, nil
}

func (h *Handler) postAssets(body []byte) (map[string]any, error) {
	var list []CatalogueAsset
	if err := decodeStrictly(body, &list); err != nil {
		return nil, err
	}
	return nil, h.putAssets(list)
}

func (h *Handler) count(op Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests[op]++
}

func (h *Handler) showRequests([]byte) (map[string]any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return map[string]any{"requests": maps.Clone(h.requests)}, nil
}

func (h *Handler) showJobs([]byte) (map[string]any, error) {
	return map[string]any{"jobs": h.Jobs()}, nil
}

// ParseFaults reads a Fault as JSON, or an array of them, and refuses what is unknown or not valid.
func ParseFaults(b []byte) ([]Fault, error) {
	b = bytes.TrimSpace(b)
	if !bytes.HasPrefix(b, []byte("[")) {
		b = append(append([]byte("["), b...), ']')
	}
	var list []Fault
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, err
	}
	return list, nil
}

// allowed refuses what a web page may have sent: a page of another origin says so in Origin, and one whose name was made
// to lead here (DNS rebinding) has that name in Host. Without this, any page that somebody opens could set faults, and so
// choose what the next archive holds.
func allowed(r *http.Request) bool {
	if !ownHost(r.Host) {
		return false
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// ownHost accepts names of this machine's loopback.
func ownHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
