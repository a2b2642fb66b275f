package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/scenario"
)

type inbox struct {
	bucket   bucket.Bucket
	archives *executions.Machine
	batches  *executions.Machine // nil in a deployment without batches
	// putList puts the assets of a .json request into the bucket for a batch.
	putList func(ctx context.Context, name string, assetIDs []string) (batch.List, error)
	log     *slog.Logger
}

// Unfinished is what the function returns when it could not do everything: Lambda delivers the event again, and in the
// end to the dead-letter queue. What was done is not done twice.
type Unfinished struct{ err error }

// Error tells what was not done.
func (u Unfinished) Error() string { return u.err.Error() }

// Unwrap returns the errors.
func (u Unfinished) Unwrap() error { return u.err }

// handle is the Lambda handler.
func (in *inbox) handle(ctx context.Context, event json.RawMessage) error {
	log := in.log
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", lc.AwsRequestID)
	}
	found, err := objects(event)
	errs := []error{err}
	for _, o := range found {
		err := in.guarded(ctx, log.With("key", o.key), o)
		if err != nil {
			err = fmt.Errorf("%s: %w", quote(o.key), err)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		log.ErrorContext(ctx, "event not finished", "cause", err.Error())
		return Unfinished{err}
	}
	return nil
}

// guarded keeps a fault with one object from the others.
func (in *inbox) guarded(ctx context.Context, log *slog.Logger, o object) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return in.receive(ctx, log, o)
}

// receive takes in one object. Its error means that another delivery may do better; everything else is told beside the
// object.
func (in *inbox) receive(ctx context.Context, log *slog.Logger, o object) error {
	f, ok := formatOf(o.key)
	if !ok {
		log.DebugContext(ctx, "not a request")
		return nil
	}
	if o.bucket != in.bucket.Name {
		log.WarnContext(ctx, "a request in another bucket is not taken", "bucket", o.bucket)
		return nil
	}
	e, list, err := in.start(ctx, o, f)
	switch {
	case errors.Is(err, errGone):
		log.InfoContext(ctx, "the request is gone or was replaced")
		return nil
	case errors.As(err, new(transient)):
		return err
	case err != nil:
		log.WarnContext(ctx, "request refused", "error", nameOf(err), "cause", err.Error())
		return in.tellError(ctx, o, err)
	}
	log.InfoContext(ctx, "execution started", "execution", e.Name, "executionArn", e.ARN, "status", string(e.Status))
	return in.tellStatus(ctx, o, e, list)
}

// start reads the object and starts what it asks for. list is nil unless it was read to its end.
func (in *inbox) start(ctx context.Context, o object, f batch.Format) (e executions.Execution, list *listNote, err error) {
	out, err := in.open(ctx, o)
	if err != nil {
		return e, nil, err
	}
	defer out.Close()
	r, err := text(out, out.ContentEncoding)
	if err != nil {
		return e, nil, err
	}
	if f == batch.FormatJSON {
		raw, err := readObject(r)
		if err != nil {
			return e, nil, err
		}
		e, err = in.startRequest(ctx, o, raw)
		return e, nil, err
	}
	l, err := readList(r, f)
	if err != nil {
		return e, nil, err
	}
	if l.more { // the list stays where it is
		e, err = in.startBatch(ctx, o, batch.Input{}, batch.List{Key: o.key, VersionID: o.version, ETag: o.etag, Format: f})
		return e, nil, err
	}
	e, err = in.startArchive(ctx, o, archive.Request{Query: scenario.Query{AssetIDs: l.ids}})
	return e, &listNote{l.lines, len(l.ids), l.duplicates}, err
}

func (in *inbox) startArchive(ctx context.Context, o object, request archive.Request) (executions.Execution, error) {
	input, err := executions.Input(request)
	if err != nil {
		return executions.Execution{}, err
	}
	return begin(ctx, in.archives, o, input)
}

// begin starts the execution that belongs to the object. One that has the name is this object's, whatever its input: the
// name is made from the event.
func begin(ctx context.Context, m *executions.Machine, o object, input string) (executions.Execution, error) {
	e, err := m.Start(ctx, executionName(o), input)
	var failed *executions.Error
	switch {
	case err == nil, executions.IsKind(err, executions.KindOtherInput):
		return e, nil
	case errors.As(err, &failed) && failed.Kind.Transient():
		return e, transient{err}
	case executions.IsKind(err, executions.KindInput):
		return e, archive.NewError(archive.RequestInvalid, err, "Step Functions does not take the request: %v", err)
	}
	return e, archive.NewError(archive.Misconfigured, err, "Step Functions refuses this deployment: %v. Check "+
		"STATE_MACHINE_ARN, BATCH_STATE_MACHINE_ARN and the function's role", err)
}

// nameOf is the name of a named error; Internal for any other.
func nameOf(err error) string { return string(cmp.Or(archive.NameOf(err), archive.Internal)) }
