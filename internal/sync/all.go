package sync

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// all looks at every sync: one that has nothing to do is finished here, at the cost of one list request; the others get an
// execution of their own. Near the deadline the state machine is asked to come again.
func (e Engine) all(ctx context.Context, in ChangesInput, full bool) (Step, error) {
	out := Output{Status: "started"}
	for name, err := range Names(ctx, e.Bucket, in.State.Step.After) {
		if err != nil {
			return Step{}, err
		}
		if err := e.one(ctx, in.Execution, name, full, &out); err != nil {
			return Step{}, err
		}
		if nearDeadline(ctx) {
			return Step{Next: NextChanges, After: name}, nil
		}
	}
	return Step{Next: NextDone, Output: &out}, nil
}

// one finishes a sync that has nothing to do, or starts it.
func (e Engine) one(ctx context.Context, execution archive.Execution, name string, full bool, out *Output) error {
	d, err := e.readDefinition(ctx, name)
	if archive.NameOf(err) == archive.RequestInvalid {
		out.Refused++
		return e.refuse(ctx, name, err)
	}
	if err != nil {
		return err
	}
	l, err := e.readStatus(ctx, name)
	if err != nil {
		return err
	}
	since := l.SucceededAt
	if since.IsZero() {
		since = l.StartedAt
	}
	if !since.IsZero() {
		out.OldestSuccess = max(out.OldestSuccess, int(e.now().Sub(since).Seconds()))
	}
	other, err := e.holder(ctx, l, execution.ID)
	if err != nil {
		return err
	}
	if other != "" {
		out.Busy++
		return nil
	}
	if !full {
		switch quiet, err := e.quiet(ctx, execution, d, l); {
		case err != nil:
			return err
		case quiet:
			out.Quiet++
			return nil
		}
	}
	out.Started++
	return e.start(ctx, execution, name, full)
}

// quiet looks whether a sync has anything to do. If not, its run is over.
func (e Engine) quiet(ctx context.Context, execution archive.Execution, d Definition, l lease) (bool, error) {
	if l.etag == "" || l.Run != nil {
		return false, nil // it has never run, or has something to take up
	}
	n, err := e.readNotes(ctx, l.Name)
	if err != nil {
		return false, err
	}
	r := &run{Engine: e, lease: &l, definition: d, notes: n, probe: true}
	r.reset(execution.ID, false)
	switch err := r.plan(ctx); {
	case errors.Is(err, errWork):
		return false, nil
	case err != nil:
		return false, err
	case !r.Run.Listed:
		return false, nil
	}
	_, err = r.finish(ctx)
	if archive.NameOf(err) == archive.SyncBusy { // it was started meanwhile
		return true, nil
	}
	return true, err
}

// start starts an execution for one sync: only one, however often this one is repeated.
func (e Engine) start(ctx context.Context, execution archive.Execution, name string, full bool) error {
	input, err := json.Marshal(Input{Name: name, Full: full})
	if err != nil {
		return err
	}
	return e.Executions.Start(ctx, name+"-"+digest(execution.ID + "\n" + name)[:16], input)
}
