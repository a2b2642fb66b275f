package asl

import (
	"context"
	"encoding/json"
	"io"
)

// maxDistributedChildren is how many children of a Map Run run at once at most (AWS: 10,000).
const maxDistributedChildren = 10_000

// MapRunner has the children of distributed Map states run. The result is the state's result before ResultSelector. A
// failure of the Map Run is an [*Error]; what it returns when ctx has ended does not count. RunMap is called again with
// the same ARN when the Map Run was interrupted.
type MapRunner interface {
	RunMap(ctx context.Context, m MapRun) (json.RawMessage, error)
}

// MapRun is what a MapRunner is asked to do.
type MapRun struct {
	ARN, Label string
	Execution  ExecutionInfo // whose state it is
	Machine    *Machine      // of the children

	MaxConcurrency int // children at once
	// ToleratedCount and ToleratedPercentage are how many items may fail; nil: not said. When neither is said, none may.
	ToleratedCount      *int
	ToleratedPercentage *float64

	// Open begins to read the children's inputs. pinned is what ETag gave the first time, empty the first time.
	Open func(ctx context.Context, pinned string) (*ChildInputs, error)
	// Results is where the children's results are written; nil: they are the Map Run's result.
	Results *Place
}

// Place is where a ResultWriter writes: objects whose keys start with Prefix.
type Place struct{ Bucket, Prefix string }

// job evaluates the state's fields on its input.
func (b *distributedBody) job(s *step, input any) (MapRun, error) {
	job := MapRun{Label: b.label, Execution: s.r.info, Machine: b.child}
	if s.r.x.MapRunner == nil {
		return job, runtimeError("distributed Map states are not supported here")
	}
	most, err := b.concurrency.at(s, 0)
	if err != nil {
		return job, err
	}
	if job.MaxConcurrency = int(most); most == 0 {
		job.MaxConcurrency = maxDistributedChildren
	}
	if err := b.tolerance(s, &job); err != nil {
		return job, err
	}
	if job.Results, err = b.place(s, input); err != nil {
		return job, err
	}
	job.Open, err = b.opener(s, input)
	return job, err
}

func (b *distributedBody) tolerance(s *step, job *MapRun) error {
	if b.count.given || b.count.path != nil {
		n, err := b.count.at(s, 0)
		if err != nil {
			return err
		}
		job.ToleratedCount = new(int(n))
	}
	if b.percentage.given || b.percentage.path != nil {
		n, err := b.percentage.at(s, 0)
		if err != nil {
			return err
		}
		job.ToleratedPercentage = &n
	}
	return nil
}

func (b *distributedBody) place(s *step, input any) (*Place, error) {
	if b.writer == nil {
		return nil, nil
	}
	v, err := b.writer.fill(s.scope(input))
	if err != nil {
		return nil, err
	}
	p := &Place{}
	if err := textAt(v, "Bucket", &p.Bucket); err != nil {
		return nil, err
	}
	return p, textAt(v, "Prefix", &p.Prefix)
}

// opener prepares the reading of the children's inputs.
func (b *distributedBody) opener(s *step, input any) (func(context.Context, string) (*ChildInputs, error), error) {
	plan := ChildInputs{s: s, input: input, state: b}
	var list *listing
	var given []any
	var err error
	if b.reader != nil {
		list, err = b.reader.listing(s, input)
	} else {
		given, err = itemsAt(b.items, s, input)
	}
	if err == nil && b.batcher != nil {
		plan.batch, err = b.batcher.size(s, input)
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, pinned string) (*ChildInputs, error) {
		c := plan
		if list == nil {
			c.items = &listItems{given}
			return &c, nil
		}
		var closer io.Closer
		c.items, c.etag, closer, err = list.open(ctx, pinned)
		c.closer = closer
		return &c, err
	}, nil
}
