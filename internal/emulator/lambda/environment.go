package lambda

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// errNotTaken says that the process ended before it asked for the invocation.
var errNotTaken = errors.New("lambda: the process ended before it took the invocation")

// environment is one process of a function with its own Runtime API. It serves one invocation at a time.
type environment struct {
	function *function
	cmd      *exec.Cmd
	api      *runtimeAPI
	server   *http.Server
	logs     *lineWriter
	tempDir  string
	started  time.Time

	// expiry ends the process when it has been idle for long. Set and stopped under the function's lock.
	expiry *time.Timer
	// gone is closed when the process has ended and everything that belonged to it is cleaned up.
	gone chan struct{}
}

// startEnvironment starts a process; clean must be called for it.
func startEnvironment(f *function) (_ *environment, err error) {
	e := &environment{function: f, started: time.Now(), gone: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if e.tempDir, err = os.MkdirTemp(f.service.options.TempDir, "lambda-"+f.Name+"-"); err != nil {
		_ = listener.Close()
		return nil, err
	}
	e.api = newRuntimeAPI()
	e.server = &http.Server{Handler: loopback.Guard(e.api.handler()), ReadHeaderTimeout: 10 * time.Second}
	e.logs = newLineWriter(func(text string) { e.log(text) })
	e.cmd = e.command(listener.Addr().String())
	if err := process.Start(e.cmd); err != nil {
		_ = listener.Close()
		_ = os.RemoveAll(e.tempDir)
		return nil, err
	}
	go func() { _ = e.server.Serve(listener) }() // ends with ErrServerClosed in clean
	return e, nil
}

func (e *environment) command(api string) *exec.Cmd {
	cmd := exec.Command(e.function.Binary)
	cmd.Dir = filepath.Dir(e.function.Binary)
	cmd.Env = e.variables(api)
	cmd.Stdout = e.logs
	cmd.Stderr = e.logs
	// A grandchild that holds the pipe must not keep the process from being seen as ended.
	cmd.WaitDelay = time.Second
	return cmd
}

// clean waits for the process to end, however it does, and removes what was made for it.
func (e *environment) clean() {
	_ = e.cmd.Wait() // exitReason says how
	_ = e.server.Close()
	process.Kill(e.cmd) // what it started itself and left behind
	e.logs.flush()
	_ = os.RemoveAll(e.tempDir)
	e.function.service.options.Exited(e.cmd.ProcessState)
}

func (e *environment) kill() { process.Kill(e.cmd) }

// destroy is kill and the wait for its end, so that nobody takes the process for a warm one.
func (e *environment) destroy() {
	e.kill()
	<-e.gone
}

func (e *environment) alive() bool {
	select {
	case <-e.gone:
		return false
	default:
		return true
	}
}

// exitReason says how the process ended, in the service's words, or nothing when it ended well. Only once it is gone.
func (e *environment) exitReason() string {
	<-e.gone
	if e.cmd.ProcessState == nil || e.cmd.ProcessState.Success() {
		return ""
	}
	return e.cmd.ProcessState.String()
}

// serve gives one invocation to the process and waits for its answer. fresh says that the process has just been
// started: its initialisation then has a time limit of its own, as on AWS, and its failure is the invocation's.
func (e *environment) serve(inv *invocation, fresh bool) (answer, error) {
	var initTime time.Duration
	if fresh {
		if a, err := e.awaitInit(inv); a != nil || err != nil {
			return deref(a), err
		}
		initTime = time.Since(e.started)
	}
	e.logStart(inv)
	begin := time.Now()
	a, err := e.exchange(inv)
	if err != errNotTaken {
		e.logEnd(inv, a, time.Since(begin), initTime)
	}
	return a, err
}

func deref(a *answer) answer {
	if a == nil {
		return answer{}
	}
	return *a
}

// awaitInit returns nothing when the process has asked for its first invocation.
func (e *environment) awaitInit(inv *invocation) (*answer, error) {
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case <-e.api.ready:
		return nil, nil
	case <-e.gone:
		a := exited(inv.id, e.exitReason())
		return &a, e.closedError()
	case <-limit.C:
		e.destroy()
		a := timedOut(inv.id, initLimit)
		return &a, nil
	}
}

// exchange hands the invocation over and waits. The time limit runs from here.
func (e *environment) exchange(inv *invocation) (answer, error) {
	timeout := e.function.Timeout
	inv.deadline = time.Now().Add(timeout)
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case e.api.work <- inv:
	case <-e.gone:
		if err := e.closedError(); err != nil {
			return answer{}, err
		}
		return answer{}, errNotTaken
	case <-limit.C:
		e.destroy()
		return timedOut(inv.id, timeout), nil
	}
	select {
	case a := <-inv.answer:
		return a, nil
	case <-e.gone:
		return e.lastAnswer(inv)
	case <-limit.C:
		e.destroy()
		return timedOut(inv.id, timeout), nil
	}
}

// lastAnswer is for a process that ended: it may have answered just before.
func (e *environment) lastAnswer(inv *invocation) (answer, error) {
	select {
	case a := <-inv.answer:
		return a, nil
	default:
		return exited(inv.id, e.exitReason()), e.closedError()
	}
}

// closedError distinguishes a process that Close killed from one that ended by itself.
func (e *environment) closedError() error {
	select {
	case <-e.function.service.closed:
		return ErrClosed
	default:
		return nil
	}
}
