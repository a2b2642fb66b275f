package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
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
	e := &environment{function: f, api: newRuntimeAPI(), started: time.Now(), gone: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if e.tempDir, err = os.MkdirTemp(f.service.options.TempDir, "lambda-"+f.Name+"-"); err != nil {
		_ = listener.Close()
		return nil, err
	}
	e.server = &http.Server{Handler: loopback.Guard(e.api.handler()), ReadHeaderTimeout: 10 * time.Second}
	e.logs = &lineWriter{emit: e.log}
	e.cmd = exec.Command(f.Binary)
	e.cmd.Dir = filepath.Dir(f.Binary)
	e.cmd.Env = e.variables(listener.Addr().String())
	e.cmd.Stdout, e.cmd.Stderr = e.logs, e.logs
	e.cmd.WaitDelay = time.Second // a grandchild that holds the pipe must not keep the process from being seen as ended
	if err := process.Start(e.cmd); err != nil {
		_ = listener.Close()
		_ = os.RemoveAll(e.tempDir)
		return nil, err
	}
	go func() { _ = e.server.Serve(listener) }() // ends with ErrServerClosed in clean
	return e, nil
}

// variables is the whole environment of a process: what AWS sets
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), then what the function asks for. Nothing
// comes from the person's shell, whose AWS_PROFILE or HOME must not decide where a function writes.
func (e *environment) variables(api string) []string {
	f := e.function
	stream := make([]byte, 16)
	_, _ = rand.Read(stream) // never fails
	list := []string{
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		fmt.Sprintf("AWS_LAMBDA_LOG_STREAM_NAME=%s/[$LATEST]%x", e.started.UTC().Format("2006/01/02"), stream),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION=" + emulator.Region,
		"AWS_DEFAULT_REGION=" + emulator.Region,
		"LAMBDA_TASK_ROOT=" + filepath.Dir(f.Binary),
		"_HANDLER=bootstrap",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"TMPDIR=" + e.tempDir,
	}
	for name, value := range f.Env {
		list = append(list, name+"="+value) // the last of two with one name counts (os/exec)
	}
	return list
}

// clean waits for the process to end, however it does, and removes what was made for it.
func (e *environment) clean() {
	_ = e.cmd.Wait() // exitReason says how
	_ = e.server.Close()
	e.kill() // what it started itself and left behind
	e.logs.flush()
	_ = os.RemoveAll(e.tempDir)
	if exited := e.function.service.options.Exited; exited != nil {
		exited(e.cmd.ProcessState)
	}
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

// exited is the answer of a process that has ended, in the service's words. Its error distinguishes one that Close killed
// from one that ended by itself.
func (e *environment) exited(inv *invocation) answer {
	<-e.gone
	how := "Runtime exited without providing a reason"
	if state := e.cmd.ProcessState; state != nil && !state.Success() {
		how = "Runtime exited with error: " + state.String()
	}
	a := failure("Runtime.ExitError", inv.id, how)
	a.err = context.Cause(e.function.service.life)
	return a
}

// serve gives one invocation to the process and waits for its answer. fresh says that the process has just been
// started: its initialisation then has a time limit of its own, as on AWS, and its failure is the invocation's.
func (e *environment) serve(inv *invocation, fresh bool) answer {
	var initTime time.Duration
	if fresh {
		if failed := e.awaitInit(inv); failed != nil {
			return *failed
		}
		initTime = time.Since(e.started)
	}
	e.log("START RequestId: " + inv.id + " Version: $LATEST")
	begin := time.Now()
	a := e.exchange(inv)
	if a.err != errNotTaken {
		e.logEnd(inv, a, time.Since(begin), initTime)
	}
	return a
}

// awaitInit returns nothing when the process has asked for its first invocation.
func (e *environment) awaitInit(inv *invocation) (failed *answer) {
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	var a answer
	select {
	case <-e.api.ready:
		return nil
	case <-e.gone:
		a = e.exited(inv)
	case <-limit.C:
		e.destroy()
		a = timedOut(inv, initLimit)
	}
	return &a
}

// exchange hands the invocation over and waits. The time limit runs from here.
func (e *environment) exchange(inv *invocation) answer {
	timeout := e.function.Timeout
	inv.deadline = time.Now().Add(timeout)
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	work := e.api.work // nil once it is taken
	for {
		select {
		case work <- inv:
			work = nil
		case a := <-inv.answer:
			return a
		case <-e.gone:
			return e.lastAnswer(inv, work == nil)
		case <-limit.C:
			e.destroy()
			return timedOut(inv, timeout)
		}
	}
}

// lastAnswer is for a process that ended: it may have answered just before.
func (e *environment) lastAnswer(inv *invocation, taken bool) answer {
	select {
	case a := <-inv.answer:
		return a
	default:
	}
	if a := e.exited(inv); a.err != nil || taken {
		return a
	}
	return answer{err: errNotTaken}
}
