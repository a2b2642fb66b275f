package sfn

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// unstarted are the inputs of the children that a Map Run did not come to.
type unstarted struct {
	inputs *asl.ChildInputs
	next   json.RawMessage // read already; nil: none
	index  int             // of the next
}

func (u *unstarted) Close() error { return u.inputs.Close() }

// childName is the name of a child: the same one each time it is asked for.
func (r *mapRun) childName(index int) string {
	return asl.UUIDOf(r.record.ARN + "#" + strconv.Itoa(index))
}

// rewind forgets what was counted, because children are counted as they come.
func (r *mapRun) rewind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.failed = 0, 0
}

// child starts a child when its turn comes, goes on with one that was interrupted, redrives one that did not succeed
// before the Map Run was redriven, or counts one that has ended.
func (r *mapRun) child(ctx context.Context, index int, input json.RawMessage) error {
	e := r.find(index)
	if e != nil && e.input != sha256.Sum256(input) {
		return &asl.Error{Name: "States.ItemReaderFailed", Cause: "The items have changed while the Map Run was interrupted."}
	}
	if e != nil && r.s.hasEnded(e) && !r.isToRedrive(e) {
		return r.countEnd(e, 0)
	}
	if err := r.turn(ctx); err != nil {
		return err
	}
	e, err := r.begin(index, input)
	if errors.Is(err, errClosed) {
		<-r.s.ctx.Done() // at once
	}
	if err != nil {
		return err
	}
	r.follow(e)
	return nil
}

func (r *mapRun) find(index int) *execution {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.children.byName[r.childName(index)]
}

// isToRedrive says whether the child ended without success and has not run since the Map Run's last redrive.
func (r *mapRun) isToRedrive(e *execution) bool {
	r.mu.Lock()
	redriven := r.record.Redriven
	r.mu.Unlock()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return e.awaitsRedrive(redriven)
}

// awaitsRedrive says whether the child ended without success and has not run since its Map Run was redriven. The caller
// holds mu.
func (e *execution) awaitsRedrive(redriven time.Time) bool {
	return e.status != asl.StatusSucceeded && e.status != asl.StatusRunning && e.start.Before(redriven) && e.redriven.Before(redriven)
}

func (s *Service) hasEnded(e *execution) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.status != asl.StatusRunning
}

// begin starts the child, goes on with it or redrives it.
func (r *mapRun) begin(index int, input json.RawMessage) (*execution, error) {
	r.s.starting.Lock()
	defer r.s.starting.Unlock()
	r.s.mu.Lock()
	closed := r.s.closed
	r.s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if e := r.find(index); e != nil {
		if r.s.hasEnded(e) {
			_, err := r.s.redrive(e, "")
			return e, err
		}
		r.s.resume(e)
		return e, nil
	}
	name := r.childName(index)
	return r.s.create(r.children, header{Name: name, Input: string(input), Index: index}, filepath.Join(r.dir, name+".jsonl"))
}

// follow counts the child in now, and its end when it comes.
func (r *mapRun) follow(e *execution) {
	r.mu.Lock()
	r.running++
	r.mu.Unlock()
	done := r.s.done(e)
	go func() { // ends with the child, or with the service
		select {
		case <-done:
			_ = r.countEnd(e, -1)
		case <-r.s.ctx.Done():
		}
	}()
}

// errThreshold is why a Map Run gives up.
var errThreshold = &asl.Error{
	Name:  "States.ExceedToleratedFailureThreshold",
	Cause: "The specified tolerated failure threshold was exceeded",
}

// countEnd counts a child that has ended.
func (r *mapRun) countEnd(e *execution, running int) error {
	r.s.mu.Lock()
	status := e.status
	r.s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running += running
	if status != asl.StatusSucceeded {
		r.failed++
	}
	r.signal()
	if r.record.exceeded(r.failed) {
		return errThreshold
	}
	return nil
}

// turn waits until another child may run.
func (r *mapRun) turn(ctx context.Context) error {
	return r.until(ctx, func() bool { return r.running < r.record.MaxConcurrency })
}

// idle waits until no child runs any more.
func (r *mapRun) idle(ctx context.Context) error {
	return r.until(ctx, func() bool { return r.running == 0 })
}

func (r *mapRun) until(ctx context.Context, reached func() bool) error {
	for {
		r.mu.Lock()
		exceeded, ok, changed := r.record.exceeded(r.failed), reached(), r.changed
		r.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case exceeded:
			return errThreshold
		case ok:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// stopChildren ends the children that run, and returns when they have ended.
func (r *mapRun) stopChildren() {
	var wait sync.WaitGroup
	for _, e := range r.list() {
		if !r.s.hasEnded(e) {
			wait.Go(func() {
				_, err := r.s.stop(e, "", "the Map Run has ended")
				if err != nil && !errors.Is(err, errClosed) {
					r.s.log.Error("a child could not be stopped", "execution", e.arn, "error", err)
				}
			})
		}
	}
	wait.Wait()
}

// list are the children so far.
func (r *mapRun) list() []*execution {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return append([]*execution(nil), r.children.executions...)
}

// abort ends a Map Run whose execution has ended while its children had not: the process was killed in between.
func (r *mapRun) abort() {
	r.s.running.Go(func() {
		for _, e := range r.list() {
			if !r.s.hasEnded(e) && r.children.parsed != nil {
				r.s.resume(e)
			}
		}
		r.stopChildren()
		if r.s.ctx.Err() != nil {
			return
		}
		if err := r.end(asl.StatusAborted); err != nil {
			r.s.log.Error(fmt.Sprintf("a Map Run could not be ended: %v", err), "mapRun", r.record.ARN)
		}
	})
}
