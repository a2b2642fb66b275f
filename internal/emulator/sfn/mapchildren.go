package sfn

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

// childName is the name of a child: the same one each time it is asked for.
func (r *mapRun) childName(index int) string {
	return asl.UUIDOf(r.record.ARN + "#" + strconv.Itoa(index))
}

// child starts a child when its turn comes, goes on with one that was interrupted, redrives one that did not succeed
// before the Map Run was redriven, or counts one that has ended.
func (r *mapRun) child(ctx context.Context, index int, input json.RawMessage) error {
	e := r.find(index)
	if e != nil && e.input != sha256.Sum256(input) {
		return &asl.Error{Name: "States.ItemReaderFailed", Cause: "The items have changed while the Map Run was interrupted."}
	}
	if e != nil && r.isDone(e) {
		return r.countEnd(e, 0)
	}
	if err := r.fewer(ctx, r.record.MaxConcurrency); err != nil {
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

// awaitsRedrive says whether the child ended without success and has not run since its Map Run was redriven. The caller
// holds mu.
func (e *execution) awaitsRedrive(redriven time.Time) bool {
	return e.status != asl.StatusSucceeded && e.status != asl.StatusRunning && e.start.Before(redriven) && e.redriven.Before(redriven)
}

// isDone says whether the child has ended and is not to be redriven.
func (r *mapRun) isDone(e *execution) bool {
	r.mu.Lock()
	redriven := r.record.Redriven
	r.mu.Unlock()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return e.status != asl.StatusRunning && !e.awaitsRedrive(redriven)
}

func (s *Service) statusOf(e *execution) asl.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.status
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
		if r.s.statusOf(e) != asl.StatusRunning {
			_, err := r.s.redrive(e, "")
			return e, err
		}
		r.s.resume(e)
		return e, nil
	}
	return r.s.create(r.children, header{Name: r.childName(index), Input: string(input), Index: index})
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
	status := r.s.statusOf(e)
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

// fewer waits until fewer children than these run.
func (r *mapRun) fewer(ctx context.Context, than int) error {
	for {
		r.mu.Lock()
		exceeded, ok, changed := r.record.exceeded(r.failed), r.running < than, r.changed
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
		if r.s.statusOf(e) == asl.StatusRunning {
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
	return slices.Clone(r.children.executions)
}

// abort ends a Map Run whose execution has ended while its children had not: the process was killed in between.
func (r *mapRun) abort() {
	r.s.running.Go(func() {
		for _, e := range r.list() {
			if r.s.statusOf(e) == asl.StatusRunning && r.children.parsed != nil {
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
