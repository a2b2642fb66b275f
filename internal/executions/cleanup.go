package executions

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// cleanupTime bounds what is done after a stop; API Gateway waits 30 s for an answer.
const cleanupTime = 12 * time.Second

// metadataExecution is where the transfer function leaves the name of an object's execution, percent-encoded.
const metadataExecution = "scenario-execution"

// Objects are what a Cleaner needs of the bucket; bucket.Bucket has them.
type Objects interface {
	Head(ctx context.Context, key string) (*bucket.Info, error)
	Delete(ctx context.Context, key, ifETag string) error
}

// Cleaner takes back what a stopped execution held and made.
type Cleaner struct {
	// CancelJob asks Scenario to cancel a job, best effort; nil where Scenario's credentials are not known.
	CancelJob func(context.Context, scenario.JobRef) error
	// AbortUpload ends the unfinished upload that an execution has at a destination.
	AbortUpload func(ctx context.Context, d archive.Destination, executionARN string) error
	Objects     Objects
}

// Cleanup says what became of what a stopped execution held and made.
type Cleanup struct {
	Job    string `json:"job"`    // none, canceled, not-canceled
	Upload string `json:"upload"` // none, aborted, not-aborted
	Object string `json:"object"` // none, removed, not-removed
}

// lookAfter are the waits before the object is looked for again. A function that is at work when its execution is stopped
// goes on: what it is just completing appears after the first look.
var lookAfter = []time.Duration{0, 500 * time.Millisecond, time.Second}

// CleanUp cancels the job of an archive's execution, aborts its upload and removes its object, if the object is this very
// execution's. A failure is logged, and is in the result. It may be repeated.
func (c Cleaner) CleanUp(ctx context.Context, log *slog.Logger, e Execution, p Progress) Cleanup {
	done := Cleanup{Job: "none", Upload: "none", Object: "none"}
	if p.Job.ID == "" {
		return done
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	log = log.With("execution", e.Name, "jobId", p.Job.ID, "key", p.Destination.Key)
	var both sync.WaitGroup
	both.Go(func() { done.Job = c.cancelJob(ctx, log, p) })
	both.Go(func() {
		done.Upload = c.abortUpload(ctx, log, e, p)
		done.Object = c.removeObject(ctx, log, e, p) // after it: an upload that is gone completes no object
	})
	both.Wait()
	return done
}

func (c Cleaner) cancelJob(ctx context.Context, log *slog.Logger, p Progress) string {
	if c.CancelJob == nil {
		return "not-canceled"
	}
	if err := c.CancelJob(ctx, p.Job.Ref()); err != nil {
		log.InfoContext(ctx, "job not canceled", "cause", err.Error())
		return "not-canceled"
	}
	return "canceled"
}

func (c Cleaner) abortUpload(ctx context.Context, log *slog.Logger, e Execution, p Progress) string {
	if err := c.AbortUpload(ctx, p.Destination, e.ARN); err != nil {
		log.WarnContext(ctx, "upload not aborted", "cause", err.Error())
		return "not-aborted"
	}
	return "aborted"
}

func (c Cleaner) removeObject(ctx context.Context, log *slog.Logger, e Execution, p Progress) string {
	looks := lookAfter
	if p.State != transferState {
		looks = looks[:1] // nobody is writing
	}
	for _, wait := range looks {
		if err := sleep(ctx, wait); err != nil {
			return "not-removed"
		}
		removed, err := c.removeOwn(ctx, e, p.Destination.Key)
		if err != nil {
			log.WarnContext(ctx, "object not removed", "cause", err.Error())
			return "not-removed"
		}
		if removed {
			return "removed"
		}
	}
	return "none"
}

// removeOwn removes the object at a key if it is of this execution; another one's stays.
func (c Cleaner) removeOwn(ctx context.Context, e Execution, key string) (bool, error) {
	h, err := c.Objects.Head(ctx, key)
	if err != nil || h == nil {
		return false, err
	}
	if owner, _ := url.PathUnescape(h.Metadata[metadataExecution]); owner != e.Name {
		return false, nil
	}
	err = c.Objects.Delete(ctx, key, h.ETag)
	if bucket.IsChanged(err) { // somebody replaced it meanwhile: it is no longer this execution's
		return false, nil
	}
	return err == nil, err
}
