package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// maxInlineItems is how many items of an inline Map run at once at most (AWS: up to 40).
const maxInlineItems = 40

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
			b.branches = append(b.branches, c.flow(branch))
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

// mapBody is an inline Map state.
type mapBody struct {
	items           *path // nil: the whole input
	selector        template
	flow            *flow
	concurrency     int
	concurrencyPath *path
}

func compileMap(c *compiler, f *fields) body {
	b := &mapBody{items: f.onePlace("ItemsPath")}
	f.atMostOne("ItemSelector", "Parameters")
	f.atMostOne("ItemProcessor", "Iterator")
	f.atMostOne("MaxConcurrency", "MaxConcurrencyPath")
	if b.selector = f.template("ItemSelector"); b.selector == nil {
		b.selector = f.template("Parameters") // its older name
	}
	n, _ := f.integer("MaxConcurrency", 0, 1_000_000)
	b.concurrency, b.concurrencyPath = int(n), f.onePlace("MaxConcurrencyPath")
	name := "ItemProcessor"
	if f.has("Iterator") {
		name = "Iterator"
	}
	v, ok := f.take(name)
	if !ok {
		f.wrong(name, "is missing")
		return b
	}
	if p, ok := c.object(f.where+": "+name, v); ok {
		p.text("Comment")
		processorConfig(p)
		b.flow = c.flow(p)
		p.done()
	}
	return b
}

func processorConfig(f *fields) {
	v, ok := f.take("ProcessorConfig")
	if !ok {
		return
	}
	config, ok := f.c.object(f.where+": ProcessorConfig", v)
	if !ok {
		return
	}
	if mode, ok := config.string("Mode"); ok && mode != "INLINE" {
		config.wrong("Mode", "%q is not supported; only INLINE is", mode)
		config.take("ExecutionType")
	}
	config.done()
}

func (b *mapBody) run(s *step, input any) (any, error) {
	items, err := b.itemsOf(s, input)
	if err != nil {
		return nil, err
	}
	limit, err := b.limit(s)
	if err != nil {
		return nil, err
	}
	length := len(items)
	if err := s.r.record(s.t, "MapStateStarted", Details{Length: &length}, nil); err != nil {
		return nil, err
	}
	started := s.t.prev
	return s.fan("Map", len(items), limit, func(ctx context.Context, i int) (*thread, any, error) {
		t := &thread{prev: started, item: mapItem(i, items[i])}
		v, err := b.item(ctx, s, t, i, input, items[i])
		return t, v, err
	})
}

func (b *mapBody) itemsOf(s *step, input any) ([]any, error) {
	v := input
	if b.items != nil {
		var err error
		if v, err = b.items.eval(s.scope(input)); err != nil {
			return nil, runtimeError("The path '%s' of ItemsPath could not be found in %s", b.items.text, b.items.where())
		}
	}
	items, ok := v.([]any)
	if !ok {
		return nil, runtimeError("Reference path of ItemsPath must point to an array, not %s", typeName(v))
	}
	return items, nil
}

func (b *mapBody) limit(s *step) (int, error) {
	n := b.concurrency
	if b.concurrencyPath != nil {
		v, err := s.atInput(b.concurrencyPath)
		number, isNumber := v.(json.Number)
		i, ok := toInteger(number)
		if err != nil || !isNumber || !ok || i < 0 {
			return 0, runtimeError("The MaxConcurrencyPath '%s' does not reference a number of at least 0",
				b.concurrencyPath.text)
		}
		n = int(min(i, maxInlineItems))
	}
	if n == 0 || n > maxInlineItems {
		n = maxInlineItems
	}
	return n, nil
}

func mapItem(i int, v any) *object {
	item := newObject(2)
	item.set("Index", number(int64(i)))
	item.set("Value", v)
	m := newObject(1)
	m.set("Item", item)
	return m
}

// item runs the flow for one item, between its events.
func (b *mapBody) item(ctx context.Context, s *step, t *thread, i int, input, item any) (any, error) {
	d := Details{Name: s.state.name, Index: &i}
	if err := s.r.record(t, "MapIterationStarted", d, nil); err != nil {
		return nil, err
	}
	v, err := b.runItem(ctx, s, t, input, item)
	var failure *Error
	switch {
	case err == nil:
		return v, s.r.record(t, "MapIterationSucceeded", d, nil)
	case errors.Is(err, errSibling):
		if failed := s.r.record(t, "MapIterationAborted", d, nil); failed != nil {
			return nil, failed
		}
	case errors.As(err, &failure):
		if err := s.r.record(t, "MapIterationFailed", d, nil); err != nil {
			return nil, err
		}
	}
	return nil, err
}

func (b *mapBody) runItem(ctx context.Context, s *step, t *thread, input, item any) (any, error) {
	if b.selector != nil {
		scope := s.scope(input)
		scope.context.set("Map", t.item)
		v, err := b.selector.fill(scope)
		if err != nil {
			return nil, s.locate(err)
		}
		item = v
	}
	if err := s.checkSize(item); err != nil {
		return nil, err
	}
	return s.r.flow(ctx, b.flow, t, &entry{name: b.flow.start, raw: item})
}
