package scenariotest

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const maxRequestBody = 1 << 20

// Handler is the stand-in as an [http.Handler], for a server of the caller's. Close it to end requests that wait.
type Handler struct {
	options   Options
	mux       *http.ServeMux
	jobs      jobs
	faults    faults
	signer    *signer
	archives  archives
	catalogue *catalogue

	mu       sync.Mutex
	requests map[Operation]int // of the API, so far

	closeOnce sync.Once
	closed    chan struct{}
}

// NewHandler makes a stand-in. It panics if the options cannot work (an image size or a fault that is not valid).
func NewHandler(o Options) *Handler {
	if err := o.Validate(); err != nil {
		panic("scenariotest: " + err.Error())
	}
	o = o.withDefaults()
	kept := state(o.State)
	key, keyErr := kept.key()
	launched, err := kept.load()
	assets, catalogueErr := newCatalogue(o.Catalogue, kept)
	if err := errors.Join(keyErr, err, catalogueErr); err != nil {
		panic("scenariotest: " + err.Error())
	}
	h := &Handler{
		options:   o,
		mux:       http.NewServeMux(),
		jobs:      jobs{state: kept, order: launched, byID: map[string]*job{}},
		signer:    newSigner(key, o.URLLifetime),
		catalogue: assets,
		requests:  map[Operation]int{},
		closed:    make(chan struct{}),
	}
	for _, j := range launched {
		h.jobs.byID[j.ID] = j
	}
	h.faults.add(o.Faults...)
	h.mux.HandleFunc("POST /v1/assets/archive", h.api(OpLaunchArchive, h.launchArchive))
	h.mux.HandleFunc("POST /v1/assets/download", h.api(OpLaunchDownload, h.launchDownload))
	h.mux.HandleFunc("GET /v1/jobs", h.api(OpJobs, h.listJobs))
	h.mux.HandleFunc("GET /v1/jobs/{id}", h.api(OpJob, h.getJob))
	h.mux.HandleFunc("GET /v1/assets/download/{id}", h.api(OpDownloadStatus, h.getDownload))
	h.mux.HandleFunc("POST /v1/jobs/{id}/action", h.api(OpCancel, h.actOnJob))
	h.mux.HandleFunc("GET /v1/assets", h.api(OpListAssets, h.listAssets))
	h.mux.HandleFunc("POST /v1/assets/get-bulk", h.api(OpBulkAssets, h.bulkAssets))
	h.mux.HandleFunc("GET /v1/assets/{id}", h.api(OpAsset, h.getAsset))
	h.mux.HandleFunc("/archives/{id}/{name}", h.serveArchive)
	h.mux.HandleFunc("POST /_test/faults", admin(maxRequestBody, h.postFaults))
	h.mux.HandleFunc("DELETE /_test/faults", admin(maxRequestBody, h.deleteFaults))
	h.mux.HandleFunc("POST /_test/assets", admin(maxAssetsBody, h.postAssets))
	h.mux.HandleFunc("GET /_test/requests", admin(maxRequestBody, h.showRequests))
	h.mux.HandleFunc("GET /_test/jobs", admin(maxRequestBody, h.showJobs))
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		failure(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path).write(w, 0)
	})
	return h
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !allowed(r) {
		failure(http.StatusMisdirectedRequest, "Only this machine's own programs are served").write(w, 0)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// Close ends requests that wait or stall, now and later.
func (h *Handler) Close() { h.closeOnce.Do(func() { close(h.closed) }) }

// AddFault makes the stand-in misbehave from now on. It panics if the fault is not valid.
func (h *Handler) AddFault(list ...Fault) {
	for _, f := range list {
		if err := f.validate(); err != nil {
			panic("scenariotest: " + err.Error())
		}
	}
	h.faults.add(list...)
}

// ClearFaults brings it back to good behaviour.
func (h *Handler) ClearFaults() { h.faults.clear() }

// An apiFunc does what one operation of the API does.
type apiFunc func(r *http.Request, body []byte, fault Fault) *reply

// api is what all operations of the API have in common: the faults and the credentials.
func (h *Handler) api(op Operation, do apiFunc) http.HandlerFunc {
	if !h.options.Routes.have(op) {
		do = nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
		h.count(op)
		fault, _ := h.faults.take(op)
		h.pause(r, fault.Latency)
		if fault.Drop == DropBefore {
			panic(http.ErrAbortHandler)
		}
		answer := h.answer(r, body, err, fault, do)
		if fault.Drop == DropAfter {
			panic(http.ErrAbortHandler)
		}
		answer.write(w, fault.TruncateBody)
	}
}

// answer is what an operation answers; do is nil where there is no such route.
func (h *Handler) answer(r *http.Request, body []byte, bodyErr error, fault Fault, do apiFunc) *reply {
	switch {
	case fault.Status != 0:
		return &reply{status: fault.Status, raw: fault.Body, retryAfter: fault.RetryAfter,
			body: failure(fault.Status, "The stand-in is set to answer so").body}
	case do == nil:
		return noRoute()
	case !h.authorized(r):
		return failure(http.StatusUnauthorized, "Invalid API key or secret")
	case bodyErr != nil:
		return failure(http.StatusRequestEntityTooLarge, "The request body is too large")
	}
	return do(r, body, fault)
}

func (h *Handler) authorized(r *http.Request) bool {
	key, secret, ok := r.BasicAuth()
	right := subtle.ConstantTimeCompare([]byte(key+"\x00"+secret), []byte(h.options.Key+"\x00"+h.options.Secret))
	return ok && right == 1
}

// pause waits, unless the client or the stand-in goes away first.
func (h *Handler) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-h.closed:
	}
}

// A reply is an answer of the API.
type reply struct {
	status     int
	body       map[string]any
	raw        string // in place of body, if not empty
	retryAfter string
	errorType  string // the header of API Gateway's own errors
}

func success(body map[string]any) *reply { return &reply{status: http.StatusOK, body: body} }

// failure is an error answer in the API's shape.
func failure(status int, message string) *reply {
	return &reply{status: status, body: map[string]any{
		"statusCode": status, "error": http.StatusText(status), "message": message,
	}}
}

// write sends the answer; cut off after some bytes of the body, if truncate says so (see Fault.TruncateBody).
func (a *reply) write(w http.ResponseWriter, truncate int64) {
	body := []byte(a.raw)
	if a.raw == "" {
		body, _ = json.Marshal(a.body) // strings and numbers only: cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if a.errorType != "" {
		w.Header().Set("X-Amzn-Errortype", a.errorType)
	}
	w.WriteHeader(a.status)
	if truncate != 0 {
		body = body[:min(max(truncate, 0), int64(len(body)))]
	}
	_, _ = w.Write(body) // a client that has gone is no concern of the stand-in's
	if truncate != 0 {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
