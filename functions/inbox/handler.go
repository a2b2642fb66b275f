package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

type inbox struct {
	bucket  bucket.Bucket
	starter executions.Starter
	syncs   *executions.Machine // nil in a deployment without syncs
	cleaner executions.Cleaner
	log     *slog.Logger
}

// Unfinished is what the function returns when it could not handle the event: Lambda delivers the event again, and in the
// end to the dead-letter queue. What was done is not done twice.
type Unfinished struct{ err error }

// Error says what was not done.
func (u Unfinished) Error() string { return u.err.Error() }

// Unwrap returns the error.
func (u Unfinished) Unwrap() error { return u.err }

// handle is the Lambda handler.
func (in *inbox) handle(ctx context.Context, event json.RawMessage) error {
	log := in.log
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", lc.AwsRequestID)
	}
	found, err := parse(event)
	switch {
	case err != nil:
	case found.object != nil:
		if err = in.receive(ctx, log.With("key", found.object.key), *found.object); err != nil {
			err = fmt.Errorf("%s: %w", quote(found.object.key), err)
		}
	case found.execution != nil:
		err = in.ended(ctx, log, found.execution.arn, found.execution.name)
	}
	if err != nil {
		log.ErrorContext(ctx, "event not finished", "cause", err.Error())
		return Unfinished{err}
	}
	return nil
}

// receive takes in one object. Its error means that another delivery may do better; everything else stands in a note
// beside the object.
func (in *inbox) receive(ctx context.Context, log *slog.Logger, o object) error {
	if name, ok := sync.NameOf(o.key); ok && in.syncs != nil && o.bucket == in.bucket.Name {
		return in.startSync(ctx, log, o, name)
	}
	if !isRequest(o.key) {
		log.DebugContext(ctx, "not a request")
		return nil
	}
	if o.bucket != in.bucket.Name {
		log.WarnContext(ctx, "a request in another bucket is not taken", "bucket", o.bucket)
		return nil
	}
	e, list, err := in.start(ctx, o)
	switch {
	case errors.Is(err, errGone):
		log.InfoContext(ctx, "the request is gone or was replaced")
		return nil
	case errors.As(err, new(transient)):
		return err
	case err != nil:
		log.WarnContext(ctx, "request refused", "error", nameOf(err), "cause", err.Error())
		return in.writeError(ctx, o, err)
	}
	log.InfoContext(ctx, "execution started", "execution", e.Name, "executionArn", e.ARN, "status", string(e.Status))
	return in.started(ctx, o, e, list)
}

// nameOf is the name of a named error; Internal for any other.
func nameOf(err error) string { return string(cmp.Or(archive.NameOf(err), archive.Internal)) }
