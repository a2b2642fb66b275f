package executions

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// metadataExecution is where an object has the name of the execution that wrote it, percent-encoded.
const metadataExecution = "scenario-execution"

// removalsAtOnce is how many objects are looked at and removed at once.
const removalsAtOnce = 16

// lookAfter are the waits before the objects are looked for again. A function that is at work when its execution is
// stopped goes on: what it is just completing appears after the first look.
var lookAfter = []time.Duration{0, 500 * time.Millisecond, time.Second}

// removeObjects removes the archive and then the files that were unpacked from it, as far as this execution wrote them.
// In this order: an unpacking ends when its archive is gone.
func (c Cleaner) removeObjects(ctx context.Context, log *slog.Logger, e Execution, p Progress) string {
	removed := "none"
	for i, wait := range lookAfter {
		if i > 0 && p.State != transferState && p.State != unpackState {
			break // nobody is writing
		}
		n, err := 0, sleep(ctx, wait)
		if err == nil {
			n, err = c.removeOnce(ctx, e, p)
		}
		if err != nil {
			log.WarnContext(ctx, "objects not removed", "cause", err.Error())
			return "not-removed"
		}
		if n > 0 {
			removed = "removed"
		}
		if n > 0 && p.Destination.Unpack == nil {
			break
		}
	}
	return removed
}

// removeOnce says how many objects it removed.
func (c Cleaner) removeOnce(ctx context.Context, e Execution, p Progress) (n int, err error) {
	removed, err := c.removeOwn(ctx, e, p.Destination.Key)
	if removed {
		n++
	}
	if err != nil || p.Destination.Unpack == nil {
		return n, err
	}
	keys := make(chan string)
	var mu sync.Mutex
	var errs []error
	var workers sync.WaitGroup
	for range removalsAtOnce {
		workers.Go(func() {
			for key := range keys {
				removed, err := c.removeOwn(ctx, e, key)
				mu.Lock()
				if removed {
					n++
				}
				if err != nil {
					errs = append(errs[:min(len(errs), 3)], err)
				}
				mu.Unlock()
			}
		})
	}
	var listErr error
	for o, err := range c.Objects.List(ctx, p.Destination.Unpack.Prefix, "") {
		if err != nil {
			listErr = err
			break
		}
		keys <- o.Key
	}
	close(keys)
	workers.Wait()
	return n, errors.Join(append(errs, listErr)...)
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
