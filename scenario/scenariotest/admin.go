package scenariotest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
)

// onLoopback lets only this machine in: the admin endpoints need no credentials.
func onLoopback(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() {
			failure(http.StatusForbidden, "The test endpoints are for loopback only").write(w, 0)
			return
		}
		next(w, r)
	}
}

func (h *Handler) postFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	var list []Fault
	if err == nil {
		list, err = ParseFaults(body)
	}
	if err != nil {
		failure(http.StatusBadRequest, err.Error()).write(w, 0)
		return
	}
	h.faults.add(list...)
	w.WriteHeader(http.StatusNoContent)
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

func (h *Handler) postAssets(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAssetsBody))
	decoder.DisallowUnknownFields()
	var list []CatalogueAsset
	err := decoder.Decode(&list)
	if err == nil {
		err = h.putAssets(list)
	}
	if err != nil {
		failure(http.StatusBadRequest, err.Error()).write(w, 0)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *Handler) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	h.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

func (h *Handler) showJobs(w http.ResponseWriter, _ *http.Request) {
	(&reply{status: http.StatusOK, body: map[string]any{"jobs": h.Jobs()}}).write(w, 0)
}
