package sfn

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// execution is what is held in memory of one: no input, output or history, which stay in its file.
type execution struct {
	machine         *machine
	arn, name, path string
	start           time.Time
	input           [sha256.Size]byte
	startedBy       string // token of the task that started it; empty: none did
	index           int    // of a Map Run's child: its place

	// Guarded by the Service's mu.
	done         chan struct{} // closed when it has ended; a redrive makes a new one
	status       asl.Status
	stop         time.Time
	failure      *asl.Error // why its end could not be kept
	redrives     int
	redriven     time.Time
	redriveToken string
	cancel       context.CancelCauseFunc // nil when it does not run
}

// Start starts an execution. Without a name it gets a random one. Starting the same name with the same input while it
// runs gives the one that runs. Errors of the API are [*APIError].
func (s *Service) Start(machineARN, name string, input []byte) (Execution, error) {
	e, err := s.start(machineARN, header{Name: cmp.Or(name, asl.NewUUID()), Input: string(input)})
	if err != nil {
		return Execution{}, err
	}
	return Execution{
		ARN: e.arn, Name: e.name, StateMachineARN: machineARN, Status: asl.StatusRunning, StartDate: Timestamp{e.start}, Input: input,
	}, nil
}

// start makes the execution's file and sets it going, or finds the running one, or whatever became of the one that the
// same task started before.
func (s *Service) start(machineARN string, h header) (*execution, error) {
	m, err := s.findMachine(machineARN)
	if err != nil {
		return nil, err
	}
	if !validName(h.Name) {
		return nil, &APIError{"InvalidName", fmt.Sprintf("Invalid Name: '%s'", h.Name)}
	}
	if err := checkInput([]byte(h.Input)); err != nil {
		return nil, err
	}
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	e, closed := m.byName[h.Name], s.closed
	same := e != nil && e.input == sha256.Sum256([]byte(h.Input)) &&
		(e.status == asl.StatusRunning || e.startedBy != "" && e.startedBy == h.StartedBy)
	s.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed
	case same:
		return e, nil
	case e != nil:
		return nil, &APIError{"ExecutionAlreadyExists", fmt.Sprintf("Execution Already Exists: '%s'", e.arn)}
	}
	return s.create(m, h)
}

func checkInput(input []byte) error {
	if len(input) > asl.MaxDataSize {
		return &APIError{"ValidationException", fmt.Sprintf("1 validation error detected: Value at 'input' failed to "+
			"satisfy constraint: Member must have length less than or equal to %d", asl.MaxDataSize)}
	}
	if err := asl.CheckJSON(input); err != nil {
		return &APIError{"InvalidExecutionInput", fmt.Sprintf("Invalid State Machine Execution Input: '%v'", err)}
	}
	return nil
}

// errClosed is why nothing starts any more.
var errClosed = errors.New("the service is closed")

// create makes the execution's file and sets it going. The caller holds starting.
func (s *Service) create(m *machine, h header) (*execution, error) {
	h.Start = s.clock.Now().UTC().Truncate(time.Millisecond)
	e := newExecution(m, h)
	f, err := createFile(e.path, h)
	if err != nil {
		return nil, err
	}
	ctx := s.arm(e) // before anyone can find it, so that Stop always has something to end
	s.add(m, e)
	s.run(ctx, e, f, []byte(h.Input), nil)
	return e, nil
}

func newExecution(m *machine, h header) *execution {
	return &execution{
		machine: m, arn: executionARN(m.name, h.Name), name: h.Name, path: filepath.Join(m.dir, fileName(h.Name)+".jsonl"),
		start: h.Start, input: sha256.Sum256([]byte(h.Input)), startedBy: h.StartedBy, index: h.Index,
		done: make(chan struct{}), status: asl.StatusRunning,
	}
}

func (s *Service) add(m *machine, e *execution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.executions = append(m.executions, e)
	m.byName[e.name] = e
	s.byARN[e.arn] = e
}

// arm gives the execution the context that Stop and Close end.
func (s *Service) arm(e *execution) context.Context {
	ctx, cancel := context.WithCancelCause(s.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	e.cancel = cancel
	return ctx
}

// run executes in a goroutine of its own, with the context that arm gave.
func (s *Service) run(ctx context.Context, e *execution, f *os.File, input []byte, resume *asl.Resume) {
	s.mu.Lock()
	info := asl.ExecutionInfo{
		ARN: e.arn, Name: e.name, StateMachineARN: e.machine.arn, RoleARN: roleARN, Input: input, StartTime: e.start,
		RedriveCount: e.redrives, RedriveTime: e.redriven,
	}
	s.mu.Unlock()
	s.running.Go(func() {
		rec := &recorder{s: s, e: e, f: f, redrives: info.RedriveCount, redriven: info.RedriveTime}
		result, err := s.executor.Run(ctx, e.machine.parsed, info, resume, rec)
		switch {
		case errors.Is(err, asl.ErrInterrupted):
			_ = f.Close() // RUNNING, for the next process to resume
			return
		case err != nil:
			result.Status = asl.StatusFailed
			s.unrecorded(rec, err)
		}
		if err := f.Close(); err != nil {
			s.log.Error("an execution's file could not be closed", "execution", e.arn, "error", err)
		}
		s.end(e, result.Status, rec.last)
	})
}

// unrecorded gives up an execution whose events could not be kept: a full disk, say. It fails with a name, which is kept
// in memory when even that cannot be written; the next process then goes on with the execution.
func (s *Service) unrecorded(r *recorder, err error) {
	s.log.Error("an execution failed because its history could not be written", "execution", r.e.arn, "error", err)
	reason := err
	if file, ok := errors.AsType[*os.PathError](err); ok {
		reason = file.Err // a reader of the cause need not know where the file is
	}
	failure := &asl.Error{Name: StoreFailed, Cause: "The execution's history could not be written: " + reason.Error()}
	end := asl.Event{
		ID: r.lastID + 1, PreviousID: r.lastID, Time: s.clock.Now().UTC().Truncate(time.Millisecond), Type: "ExecutionFailed",
		Details: asl.Details{Error: failure.Name, Cause: failure.Cause},
	}
	if r.Record(end, nil) == nil {
		return
	}
	r.last = end.Time
	s.mu.Lock()
	defer s.mu.Unlock()
	r.e.failure = failure
}

// StoreFailed is the error of an execution whose history this endpoint could not keep.
const StoreFailed = "Local.StoreFailed"

func (s *Service) end(e *execution, status asl.Status, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.cancel != nil {
		e.cancel(nil) // frees the context
	}
	e.status, e.stop, e.cancel = status, at, nil
	close(e.done)
}

// recorder keeps one execution's events.
type recorder struct {
	s        *Service
	e        *execution
	f        *os.File
	last     time.Time
	lastID   int64
	redrives int
	redriven time.Time
}

// Record writes the event before it is published.
func (r *recorder) Record(e asl.Event, next *asl.Checkpoint) error {
	if err := appendLine(r.f, line{Event: &e, Checkpoint: next, Redrives: r.redrives, Redriven: r.redriven}); err != nil {
		return err
	}
	r.last, r.lastID = e.Time, e.ID
	u := Update{ExecutionARN: r.e.arn, MapRunARN: r.e.machine.mapRunARN(), Event: e}
	if run := r.e.machine.run; run != nil {
		u.ParentARN = run.parent.arn
	}
	r.s.publish(u)
	return nil
}

// Describe is DescribeExecution of the API.
func (s *Service) Describe(executionARN string) (Execution, error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return Execution{}, err
	}
	return s.describe(e)
}

func (s *Service) describe(e *execution) (Execution, error) {
	s.mu.Lock()
	d, failure := e.summary(), e.failure
	s.mu.Unlock()
	d.RedriveStatus, d.RedriveStatusReason = s.redriveStatus(e)
	f, err := os.Open(e.path)
	if err != nil {
		return Execution{}, err
	}
	defer f.Close()
	h, err := readHeader(f)
	if err != nil {
		return Execution{}, err
	}
	d.Input = json.RawMessage(h.Input)
	if d.Status == asl.StatusRunning {
		return d, nil
	}
	if failure != nil {
		d.Error, d.Cause = failure.Name, failure.Cause
		return d, nil
	}
	last, err := readLast(f)
	if err != nil || last.Event == nil {
		return d, err
	}
	if last.Event.Details.Output != "" {
		d.Output = json.RawMessage(last.Event.Details.Output)
	}
	d.Error, d.Cause = last.Event.Details.Error, last.Event.Details.Cause
	return d, nil
}

// summary is an execution as lists have it. The caller holds mu.
func (e *execution) summary() Execution {
	return Execution{
		ARN: e.arn, Name: e.name, StateMachineARN: e.machine.arn, MapRunARN: e.machine.mapRunARN(),
		Status: e.status, StartDate: Timestamp{e.start}, StopDate: Timestamp{e.stop}, RedriveCount: e.redrives,
		RedriveDate: Timestamp{e.redriven},
	}
}

// Stop ends a running execution as ABORTED; stopping a finished one changes nothing. It returns when it stopped.
func (s *Service) Stop(executionARN, errorName, cause string) (time.Time, error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return time.Time{}, err
	}
	return s.stop(e, errorName, cause)
}

func (s *Service) stop(e *execution, errorName, cause string) (time.Time, error) {
	s.mu.Lock()
	cancel, done := e.cancel, e.done
	s.mu.Unlock()
	if cancel != nil {
		cancel(&asl.Stop{Name: errorName, Cause: cause})
		select {
		case <-done:
		case <-s.ctx.Done():
			return time.Time{}, errClosed
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.stop, nil
}

// Wait returns the execution as soon as it has ended.
func (s *Service) Wait(ctx context.Context, executionARN string) (Execution, error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return Execution{}, err
	}
	select {
	case <-s.done(e):
		return s.describe(e)
	case <-ctx.Done():
		return Execution{}, ctx.Err()
	case <-s.ctx.Done():
		return Execution{}, errClosed
	}
}

// done is closed when the execution has ended, as it stands now: a redrive comes after.
func (s *Service) done(e *execution) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.done
}

func (s *Service) findMachine(arn string) (*machine, error) {
	if err := invalidARN(arn, "stateMachine", 1); err != nil {
		return nil, err
	}
	m := s.machine(arn)
	if m == nil {
		return nil, &APIError{"StateMachineDoesNotExist", fmt.Sprintf("State Machine Does Not Exist: '%s'", arn)}
	}
	return m, nil
}

func (s *Service) findExecution(arn string) (*execution, error) {
	if err := invalidARN(arn, "execution", 2); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byARN[arn]; e != nil {
		return e, nil
	}
	return nil, &APIError{"ExecutionDoesNotExist", fmt.Sprintf("Execution Does Not Exist: '%s'", arn)}
}
