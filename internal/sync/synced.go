package sync

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"path"
	"slices"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
)

// passSizes are how many assets an archive has in each pass of a chunk. Archives of the later ones are small: one asset of
// which Scenario makes no archive spoils those that it shares an archive with.
var passSizes = []int{1000, 30, 1}

// maxCopy is the largest object that one CopyObject takes, in bytes.
const maxCopy = 5 << 30

// maxLaterArchives bounds the archives of a later pass: where more are missing, it is not for single assets.
const maxLaterArchives = 100

// SyncedInput is what the synced function gets.
type SyncedInput struct {
	Execution archive.Execution `json:"execution"`
	Request   json.RawMessage   `json:"request"` // the execution's input
	// State is what the state machine carries: the batch, and how it failed.
	State State `json:"state"`
	// RecordFailure: the run has failed. Its status is to say so, and nothing else is done.
	RecordFailure bool `json:"recordFailure"`
}

// For names whom the step is for.
func (in SyncedInput) For() (archive.Execution, string) { return in.Execution, "" }

// Synced writes down what a batch has brought, and says what comes next. It can be repeated.
func (e Engine) Synced(ctx context.Context, in SyncedInput) (Step, error) {
	if in.RecordFailure {
		return Step{Next: NextDone}, e.recordFailure(ctx, in)
	}
	b := in.State.Step.Batch
	if b == nil {
		return Step{}, invalid("the event has no batch")
	}
	l, err := e.readStatus(ctx, b.Sync)
	if err != nil {
		return Step{}, err
	}
	if l.Execution != in.Execution.ID || l.Status.Status != Running || l.Run == nil {
		if l.Execution == in.Execution.ID && l.Status.Status == Succeeded { // the answer that said so was lost
			return Step{Next: NextDone, Output: &Output{Name: l.Name, Status: Succeeded, Counts: &l.Counts}}, nil
		}
		return Step{}, archive.NewError(archive.SyncBusy, nil, "another execution has taken over the sync %q", l.Name)
	}
	n, err := e.readNotes(ctx, l.Name)
	if err != nil {
		return Step{}, err
	}
	r := &recording{run: &run{Engine: e, lease: &l, notes: n}}
	c := l.Run.Chunk
	if c == nil || c.Run != b.Run || c.Number != b.Number || c.Pass != b.Pass {
		return Step{Next: NextChanges}, nil // it is written down; the changes function knows what comes next
	}
	r.chunk = *c
	return r.record(ctx, in.State.Error)
}

// recording is a chunk that is written down.
type recording struct {
	*run
	chunk  Chunk
	result *results

	latest map[string]known // of each asset of this pass, what was planned last
	left   map[string]known // those that have no file
}

func (r *recording) record(ctx context.Context, failure *Failure) (Step, error) {
	var err error
	if r.result, err = r.readResults(ctx, r.chunk); err != nil {
		return Step{}, err
	}
	if r.result == nil {
		return r.nothing(ctx, failure)
	}
	if plan, err := r.Bucket.Head(ctx, r.chunk.plan()); err != nil {
		return Step{}, err
	} else if plan == nil && r.chunk.Run != r.Run.ID { // left for so long that it was deleted
		return r.nothing(ctx, failure)
	}
	if err := r.readPass(ctx); err != nil {
		return Step{}, err
	}
	if err := r.records(ctx); err != nil {
		return Step{}, err
	}
	next, err := r.leftovers(ctx)
	if err != nil {
		return Step{}, err
	}
	switch err := r.writeNotes(ctx, r.Name, r.notes); {
	case archive.NameOf(err) == archive.SyncFailed && r.chunk.Run != r.Run.ID:
		return r.giveUp(ctx)
	case err != nil:
		return Step{}, err
	}
	done := r.chunk
	r.Run.Chunk = next
	if next == nil && done.Run == r.Run.ID { // one that another run planned says nothing of how far this one is
		r.advance()
	}
	r.notes.writeTo(&r.Status)
	if err := r.write(ctx, r.lease); err != nil {
		return Step{}, err
	}
	if err := r.remove(ctx, done.archives()); err != nil {
		return Step{}, err
	}
	if next == nil {
		return Step{Next: NextChanges}, nil
	}
	b, err := r.batch(*next)
	return Step{Next: NextBatch, Batch: b}, err
}

// nothing is what follows a batch without a manifest. A chunk of this run fails it: the cursor has not moved, and the next
// run begins there. One of a run that was killed is given up: what it planned is listed again.
func (r *recording) nothing(ctx context.Context, failure *Failure) (Step, error) {
	if r.chunk.Run == r.Run.ID {
		if failure == nil {
			failure = &Failure{string(archive.Internal), "it wrote no manifest"}
		}
		name, cause := batch.ChildFailure(failure.Error, failure.Cause)
		return Step{}, archive.NewError(archive.SyncFailed, nil, "the batch that was to fetch %d assets failed: %s: %s", r.chunk.Assets,
			name, cause)
	}
	return r.giveUp(ctx)
}

func (r *recording) giveUp(ctx context.Context) (Step, error) {
	r.Run.Chunk = nil
	return Step{Next: NextChanges}, r.write(ctx, r.lease)
}

// readPass reads which assets this pass was to fetch, and what was planned last of each.
func (r *recording) readPass(ctx context.Context) error {
	b, err := r.open(ctx, r.chunk.list())
	if err != nil {
		return err
	}
	defer b.Close()
	wanted := map[string]bool{}
	ids := bufio.NewScanner(b)
	for ids.Scan() {
		wanted[ids.Text()] = true
	}
	if err := ids.Err(); err != nil {
		return err
	}
	r.latest, r.left = map[string]known{}, map[string]known{}
	for a, err := range lines[planned](ctx, r.Engine, r.chunk.plan()) {
		if err != nil {
			return err
		}
		if latest, again := r.latest[a.ID]; wanted[a.ID] && (!again || latest.UpdatedAt.Before(a.Known.UpdatedAt)) {
			r.latest[a.ID] = a.Known
		}
	}
	return nil
}

// records takes each file that is there to its place, and then writes its record.
func (r *recording) records(ctx context.Context) error {
	now := r.now()
	return eachOf(ctx, r.there(ctx, now), windowAssets, func(ctx context.Context, a planned) error {
		f := r.result.files[a.ID]
		key := r.chunk.AssetPrefix + a.ID + path.Ext(f.Key)
		if _, err := r.Bucket.Copy(ctx, f.Key, "", key); err != nil {
			return err
		}
		return r.putRecord(ctx, r.chunk, a, record{key, f.Size, f.CRC32, f.ContentType, now}, "")
	})
}

// there gives the assets of this pass that have a file, as they were planned last, and notes what becomes of the others.
func (r *recording) there(ctx context.Context, now time.Time) iter.Seq2[planned, error] {
	return func(yield func(planned, error) bool) {
		written := map[string]bool{}
		for a, err := range lines[planned](ctx, r.Engine, r.chunk.plan()) {
			f, there := r.result.files[a.ID]
			switch {
			case err != nil:
				yield(a, err)
				return
			case a.Known != r.latest[a.ID] || written[a.ID]:
				continue // it is of another pass, or a later line has what the list said last
			case !there:
				r.left[a.ID] = a.Known
				continue
			case f.Size > maxCopy:
				r.notes.add(a.ID, AssetTooLarge, "a sync takes files of up to 5 GiB", a.Known.UpdatedAt, now)
				continue
			}
			written[a.ID] = true
			r.notes.remove(a.ID)
			r.Counts.Fetched++
			r.Counts.Bytes += f.Size
			if !yield(a, nil) {
				return
			}
		}
	}
}

// outages are errors of archives that are not for an asset of theirs: smaller archives would meet them, too.
var outages = []archive.Name{
	archive.Unauthorized, archive.RateLimited, archive.ScenarioUnavailable, archive.DestinationRefused,
	archive.DestinationUnavailable, archive.Misconfigured, archive.SourceForbidden, archive.SourceUnavailable,
}

// leftovers decides what becomes of the assets without a file: another pass in smaller archives, or a note.
func (r *recording) leftovers(ctx context.Context) (*Chunk, error) {
	var again []string
	for id, k := range r.left {
		why := r.result.failed[id]
		switch {
		case why == nil && r.chunk.Pass >= 2:
			r.notes.add(id, EntryMissing, "two archives that were asked for it did not hold it", k.UpdatedAt, r.now())
		case why != nil && (r.chunk.Pass == len(passSizes) || slices.Contains(outages, archive.Name(why.Error))):
			r.notes.add(id, why.Error, why.Cause, k.UpdatedAt, r.now())
		default:
			again = append(again, id)
		}
	}
	if len(again) == 0 {
		return nil, nil
	}
	next := r.chunk
	next.Pass++
	next.Assets = len(again)
	if size := passSizes[next.Pass-1]; (len(again)+size-1)/size > maxLaterArchives {
		for _, id := range again {
			why := r.result.failed[id]
			if why == nil {
				why = &missing{EntryMissing, "an archive that was asked for it did not hold it, nor many others"}
			}
			r.notes.add(id, why.Error, why.Cause, r.left[id].UpdatedAt, r.now())
		}
		return nil, nil
	}
	slices.Sort(again)
	list := r.Bucket.Upload(ctx, next.list(), "text/plain", nil)
	defer list.Abort()
	for _, id := range again {
		if _, err := list.Write([]byte(id + "\n")); err != nil {
			return nil, err
		}
	}
	return &next, list.Close()
}

// recordFailure writes into a sync's status why its run failed, if the status is the run's still.
func (e Engine) recordFailure(ctx context.Context, in SyncedInput) error {
	input, err := parseInput(in.Request)
	if err != nil || input.Name == "" || !validName.MatchString(input.Name) || in.State.Error == nil {
		return nil // there is no sync whose status could say it
	}
	l, err := e.readStatus(ctx, input.Name)
	if err != nil || l.Execution != in.Execution.ID || l.Status.Status != Running {
		return err
	}
	l.Status.Status, l.EndedAt, l.Error, l.Cause = Failed, e.now().Round(time.Millisecond), in.State.Error.Error, in.State.Error.Cause
	return e.write(ctx, &l)
}
