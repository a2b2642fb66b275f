package executions

import (
	"context"
	"log/slog"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/batch"
)

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
