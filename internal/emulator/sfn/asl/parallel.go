package asl

import (
	"context"
	"fmt"
)

// parallelBody is a Parallel state.
type parallelBody struct{ branches []*flow }

func compileParallel(c *compiler, f *fields) body {
	b := &parallelBody{}
	branches, ok := f.array("Branches")
	if !ok && !f.has("Branches") {
		f.wrong("Branches", "is missing")
	}
	for i, v := range branches {
		if branch, ok := c.object(fmt.Sprintf("%s: Branches[%d]", f.where, i), v); ok {
			branch.text("Comment")
			b.branches = append(b.branches, c.nestedFlow(branch))
			branch.done()
		}
	}
	return b
}

func (b *parallelBody) run(s *step, input any) (any, error) {
	if err := s.r.record(s.t, "ParallelStateStarted", Details{}, nil); err != nil {
		return nil, err
	}
	started := s.t.prev
	out, err := s.fan("Parallel", len(b.branches), len(b.branches), func(ctx context.Context, i int) (*thread, any, error) {
		t := &thread{prev: started, item: s.t.item}
		v, err := s.r.flow(ctx, b.branches[i], t, &entry{name: b.branches[i].start, raw: input})
		return t, v, err
	})
	return out, err
}
