package lambda

import (
	"crypto/rand"
	"encoding/json"
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

// answer is how an invocation ended for its caller: as Invoke returns it, or with errNotTaken.
type answer struct {
	body          []byte
	functionError string // empty for success
	err           error
}

// unhandled is the header's value for every error of a function that the service did not itself refuse.
const unhandled = "Unhandled"

func failure(errorType, requestID, message string) answer {
	if requestID != "" {
		message = "RequestId: " + requestID + " Error: " + message
	}
	body, _ := json.Marshal(struct { // two strings cannot fail
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{errorType, message})
	return answer{body, unhandled, nil}
}

func timedOut(inv *invocation, after time.Duration) answer {
	return failure("Sandbox.Timedout", inv.id, fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds()))
}

func responseTooLarge(size int64) answer {
	return failure("Function.ResponseSizeTooLarge", "",
		fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, MaxResponse))
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
		case err != nil: // cut off: the process has ended, and that is seen
		case size > MaxResponse:
			a.finish(inv, responseTooLarge(size))
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
		default:
			a.finish(inv, answer{body, functionError, nil})
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

// readBounded reads up to limit bytes, and one more of what is longer, which it reads to its end and drops, so that the
// sender, which does not read before it has written, gets to see the refusal. size is that of the whole.
func readBounded(r io.Reader, limit int64) (body []byte, size int64, err error) {
	if body, err = io.ReadAll(io.LimitReader(r, limit+1)); err != nil {
		return nil, 0, err
	}
	rest, err := io.Copy(io.Discard, r)
	return body, int64(len(body)) + rest, err
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}
