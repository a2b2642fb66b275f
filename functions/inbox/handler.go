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
	if err := in.dispatch(ctx, log, event); err != nil {
		log.ErrorContext(ctx, "event not finished", "cause", err.Error())
		return Unfinished{err}
	}
	return nil
}

func (in *inbox) dispatch(ctx context.Context, log *slog.Logger, event json.RawMessage) error {
	var n notification
	if err := json.Unmarshal(event, &n); err != nil {
		return fmt.Errorf("the event is not JSON as it should be: %w", err)
	}
	switch n.Source {
	case "aws.s3":
		if n.DetailType != "Object Created" {
			return nil
		}
		o := n.object()
		if err := in.receive(ctx, log.With("key", o.key), o); err != nil {
			return fmt.Errorf("%.80q: %w", o.key, err)
		}
		return nil
	case "aws.states":
		if n.DetailType != "Step Functions Execution Status Change" || n.Detail.Status == "RUNNING" {
			return nil
		}
		return in.ended(ctx, log, n.Detail.ExecutionARN, n.Detail.Name)
	}
	return errors.New("the event is neither EventBridge's \"Object Created\" nor its \"Step Functions Execution Status Change\"")
}

// object is an object that was created, as an event has it.
type object struct {
	bucket, key string
	version     string // "" in a bucket without versions
	etag        string // without quotes
	sequencer   string // orders the events of a key
	time        string
}

// notification is an event of EventBridge.
type notification struct {
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Time       string `json:"time"`
	Detail     struct {
		ExecutionARN string `json:"executionArn"`
		Name         string `json:"name"`
		Status       string `json:"status"`
		Bucket       struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			ETag      string `json:"etag"`
			VersionID string `json:"version-id"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"detail"`
}

// object is the object that was created. Its key is as it is: EventBridge does not encode it.
func (n notification) object() object {
	o := n.Detail.Object
	if o.VersionID == "null" { // of a bucket whose versioning is suspended, which has no version of its own
		o.VersionID = ""
	}
	return object{n.Detail.Bucket.Name, o.Key, o.VersionID, o.ETag, o.Sequencer, n.Time}
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
	case passes(err):
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
