package lambda

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// invocation is one payload on its way through a process.
type invocation struct {
	id, arn, trace string
	payload        []byte
	deadline       time.Time
	answer         chan answer // holds one, so that it is given without waiting
}

// newInvocation has a random UUID (version 4) for its ID, and a trace header of X-Ray's form that is not sampled.
func newInvocation(arn string, payload []byte) *invocation {
	var b [16]byte
	var trace [20]byte
	_, _ = rand.Read(b[:]) // never fails
	_, _ = rand.Read(trace[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return &invocation{
		id:      fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]),
		trace:   fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", time.Now().Unix(), trace[:12], trace[12:]),
		arn:     arn,
		payload: payload,
		answer:  make(chan answer, 1),
	}
}

// runtimeAPI is what one process talks to.
type runtimeAPI struct {
	work      chan *invocation // unbuffered: the sender knows that the process has asked
	ready     chan struct{}    // closed when the process asks for the first time
	readyOnce sync.Once
	current   atomic.Pointer[invocation] // taken by the process and not answered
}

func newRuntimeAPI() *runtimeAPI {
	return &runtimeAPI{work: make(chan *invocation), ready: make(chan struct{})}
}

func (a *runtimeAPI) handler() http.Handler {
	mux := http.NewServeMux()
	const version = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+version+"/invocation/next", a.next)
	mux.HandleFunc("POST "+version+"/invocation/{id}/response", a.conclude(""))
	mux.HandleFunc("POST "+version+"/invocation/{id}/error", a.conclude(unhandled))
	return mux
}

// next keeps the process waiting, for as long as it takes, until there is an invocation for it.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if a.current.Load() != nil {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the last invocation has not been answered")
		return
	}
	a.readyOnce.Do(func() { close(a.ready) })
	select {
	case inv := <-a.work:
		a.current.Store(inv)
		writeInvocation(w, inv)
	case <-r.Context().Done(): // the process has ended
	}
}

func writeInvocation(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	_, _ = w.Write(inv.payload) // a process that does not read it ends, and that is seen
}

// conclude reads the body of an answer to the current invocation and passes it on.
func (a *runtimeAPI) conclude(functionError string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		inv := a.current.Load()
		if inv == nil || inv.id != r.PathValue("id") {
			refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
			return
		}
		body, size, err := readBounded(r.Body, MaxResponse)
		switch {
		case errors.Is(err, errTooLong):
			a.finish(inv, responseTooLarge(size))
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
		case err != nil: // cut off: the process has ended, and that is seen
		default:
			a.finish(inv, answer{body, functionError})
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
		}
	}
}

// finish passes the first answer on, and only that.
func (a *runtimeAPI) finish(inv *invocation, result answer) {
	if a.current.CompareAndSwap(inv, nil) {
		inv.answer <- result
	}
}

var errTooLong = errors.New("lambda: body too long")

// readBounded reads up to limit bytes. What is longer is read to its end and dropped, so that the sender, which does
// not read before it has written, gets to see the refusal; the size is then the whole.
func readBounded(r io.Reader, limit int64) (body []byte, size int64, err error) {
	body, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(body)) <= limit {
		return body, int64(len(body)), err
	}
	rest, err := io.Copy(io.Discard, r)
	if err != nil {
		return nil, 0, err
	}
	return nil, int64(len(body)) + rest, errTooLong
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}
