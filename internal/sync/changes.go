package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// Changes begins a run, or goes on with it: it finds the next chunk of assets to be fetched. It can be repeated after a lost
// answer: a chunk that was planned is given again.
func (e Engine) Changes(ctx context.Context, in ChangesInput) (Step, error) {
	input, err := parseInput(in.Request)
	if err != nil {
		return Step{}, err
	}
	if input.Name == "" {
		return e.all(ctx, in, input.Full)
	}
	d, err := e.readDefinition(ctx, input.Name)
	if err == nil {
		err = e.Bucket.Delete(ctx, ErrorKey(input.Name), "")
	} else if archive.NameOf(err) == archive.RequestInvalid {
		err = errors.Join(err, e.refuse(ctx, input.Name, err))
	}
	if err != nil {
		return Step{}, err
	}
	r, other, err := e.begin(ctx, input, d, in.Execution.ID)
	if err != nil {
		return Step{}, err
	}
	if other != "" {
		return Step{Next: NextDone, Output: &Output{Name: input.Name, Status: "busy", Execution: other}}, nil
	}
	return r.next(ctx)
}

// refuse writes beside a definition what is wrong with it.
func (e Engine) refuse(ctx context.Context, name string, why error) error {
	if !validName.MatchString(name) {
		return nil
	}
	text, err := json.Marshal(map[string]string{"error": string(archive.RequestInvalid), "cause": why.Error()})
	if err == nil {
		err = e.put(ctx, ErrorKey(name), append(text, '\n'))
	}
	return err
}

// A run is one in work.
type run struct {
	Engine
	*lease
	definition Definition
	notes      *notes
	// probe ends a list at the first asset that gives work, and leaves everything as it is.
	probe bool
}

// begin takes the lease; other is the execution that has it. A run of an execution that is gone is not continued but for
// its chunk: its batch may still run, and would write old files over those of a second one.
func (e Engine) begin(ctx context.Context, in Input, d Definition, execution string) (r *run, other string, err error) {
	l, err := e.readStatus(ctx, in.Name)
	if err != nil {
		return nil, "", err
	}
	if other, err = e.holder(ctx, l, execution); err != nil || other != "" {
		return nil, other, err
	}
	n, err := e.readNotes(ctx, in.Name)
	if err != nil {
		return nil, "", err
	}
	r = &run{Engine: e, lease: &l, definition: d, notes: n}
	if l.Status.Status == Running && l.Execution == execution && l.Run != nil {
		return r, "", nil
	}
	r.reset(execution, in.Full)
	return r, "", e.write(ctx, &l)
}

// reset makes the status that of a run that begins.
func (r *run) reset(execution string, full bool) {
	now := r.now()
	var chunk *Chunk
	if r.Run != nil {
		chunk = r.Run.Chunk
	}
	r.Status.Status, r.Execution, r.Full, r.StartedAt, r.EndedAt = Running, execution, full, now, time.Time{}
	r.Counts, r.Error, r.Cause = Counts{}, "", ""
	r.notes.writeTo(&r.Status)
	r.Run = &Run{ID: digest(execution + now.String())[:8], ListedAt: now, Chunk: chunk}
	if !full {
		r.Run.Position = r.Cursor
	}
}

// next gives the chunk to be fetched, or plans one, or ends the run.
func (r *run) next(ctx context.Context) (Step, error) {
	if r.Run.Chunk == nil && !r.Run.Listed {
		if err := r.plan(ctx); err != nil {
			return Step{}, err
		}
	}
	switch {
	case r.Run.Chunk != nil:
		b, err := r.batch(*r.Run.Chunk)
		return Step{Next: NextBatch, Batch: b}, err
	case !r.Run.Listed:
		return Step{Next: NextChanges}, nil
	}
	return r.finish(ctx)
}

// finish ends the run well. The notes are there before the cursor passes their assets.
func (r *run) finish(ctx context.Context) (Step, error) {
	if r.Full {
		if err := r.writeGone(ctx); err != nil {
			return Step{}, err
		}
	}
	if !r.probe { // No batch is under way: what those of runs that were killed have left can go.
		if err := r.remove(ctx, r.definition.incoming(r.Name)); err != nil {
			return Step{}, err
		}
	}
	if err := r.writeNotes(ctx, r.Name, r.notes); err != nil {
		return Step{}, err
	}
	r.end(r.now())
	if err := r.write(ctx, r.lease); err != nil {
		return Step{}, err
	}
	counts := r.Counts
	return Step{Next: NextDone, Output: &Output{Name: r.Name, Status: Succeeded, Counts: &counts}}, nil
}

func (r *run) end(now time.Time) {
	r.advance()
	r.notes.writeTo(&r.Status)
	r.Status.Status, r.EndedAt, r.SucceededAt, r.Run = Succeeded, now, now, nil
}

// advance moves the cursor to what is certain: the last change that the list showed, but not what changed so shortly before
// the list began that another list may show more of it, and within a list not what its order may have left behind.
func (r *run) advance() {
	to := r.Run.Latest
	if !r.Run.Listed {
		to = r.Run.Position.Add(-slack)
	}
	if settled := r.Run.ListedAt.Add(-overlap); to.After(settled) {
		to = settled
	}
	if to.After(r.Cursor) {
		r.Cursor = to
	}
}

// batch describes the execution that fetches a chunk.
func (r *run) batch(c Chunk) (*Batch, error) {
	input, err := json.Marshal(map[string]any{
		"list": map[string]any{"key": c.list(), "format": "txt"},
		"request": map[string]any{
			"options":     map[string]any{"flat": true, "fileNameTemplate": "<assetId>", "preferOriginal": c.Original},
			"projectId":   c.ProjectID,
			"destination": map[string]any{"prefix": c.archives(), "overwrite": true, "tags": c.Tags},
			"unpack":      map[string]any{"keepArchive": false},
		},
		"batchSize": passSizes[c.Pass-1], "toleratedFailurePercentage": 100,
	})
	return &Batch{
		Name:  fmt.Sprintf("sync-%s-%s-%d-%d", r.Name, c.Run, c.Number, c.Pass),
		Input: input, Sync: r.Name, Run: c.Run, Number: c.Number, Pass: c.Pass,
	}, err
}

func (c Chunk) prefix() string { return fmt.Sprintf("%s%04d", c.Work, c.Number) }
func (c Chunk) plan() string   { return c.prefix() + "-plan.jsonl" }
func (c Chunk) list() string   { return fmt.Sprintf("%s-%d.txt", c.prefix(), c.Pass) }

// archives is where the batch puts its archives, their files, and its manifest, until the files are recorded: an archive that
// is made twice, or late, touches no asset.
func (c Chunk) archives() string {
	return fmt.Sprintf("%s%s-%04d-%d/", c.Incoming, c.Run, c.Number, c.Pass)
}
