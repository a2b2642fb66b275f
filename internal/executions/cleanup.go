package executions

import (
	"context"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// cleanupTime bounds what is done after a stop; API Gateway waits 30 s for an answer.
const cleanupTime = 12 * time.Second

// Objects are what a Cleaner needs of the bucket; bucket.Bucket has them.
type Objects interface {
	Head(ctx context.Context, key string) (*bucket.Info, error)
	List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Entry, error]
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

// Cleanup says what was removed of what a stopped execution uploaded and wrote.
type Cleanup struct {
	Job    string `json:"job"`    // none, canceled, not-canceled
	Upload string `json:"upload"` // none, aborted, not-aborted
	Object string `json:"object"` // none, removed, not-removed; with the files that an unpacking has written
}

// CleanUp cancels the job of an archive's execution, aborts its uploads and removes its objects, those that are this very
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
		done.Object = c.removeObjects(ctx, log, e, p) // after it: an upload that is gone completes no object
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

// maxChildren is how many of a batch's archives are cleaned up after in one call.
const maxChildren = 32

// ChildrenInTheMaking are the names of a batch's archives that are being made, or were when the batch was stopped, from
// among the latest executions.
func (m *Machine) ChildrenInTheMaking(ctx context.Context, batchARN string, plan batch.Plan) ([]string, error) {
	end := batch.ChildEnd(batchARN, plan.RedriveCount)
	var names []string
	for _, status := range []Status{Running, Stopped} {
		page, err := m.List(ctx, status, 100, "")
		if err != nil {
			return names, err
		}
		for _, e := range page.Executions {
			if strings.HasSuffix(e.Name, end) && len(names) < maxChildren {
				names = append(names, e.Name)
			}
		}
	}
	return names, nil
}

// CleanUpChildren cleans up after a stopped batch's archives that were in the making. Those that are finished stay: a
// batch of the same list takes them as they are.
func (c Cleaner) CleanUpChildren(ctx context.Context, log *slog.Logger, archives *Machine, names []string) Cleanup {
	all := Cleanup{Job: "none", Upload: "none", Object: "none"}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	results := make(chan Cleanup, len(names))
	for _, name := range names {
		go func() {
			p, err := archives.Progress(ctx, name)
			if err != nil {
				log.WarnContext(ctx, "archive of a batch not cleaned up", "execution", name, "cause", err.Error())
				results <- Cleanup{Job: "not-canceled", Upload: "not-aborted", Object: "not-removed"}
				return
			}
			results <- c.CleanUp(ctx, log, Execution{Name: name, ARN: archives.ARN(name)}, p)
		}()
	}
	for range names {
		one := <-results
		all = Cleanup{Job: worse(all.Job, one.Job), Upload: worse(all.Upload, one.Upload), Object: worse(all.Object, one.Object)}
	}
	return all
}

// worse is what more has to be done about.
func worse(a, b string) string {
	rank := func(s string) int {
		switch {
		case s == "none":
			return 0
		case strings.HasPrefix(s, "not-"):
			return 2
		}
		return 1
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
