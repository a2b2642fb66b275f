package asl

import (
	"context"
	"encoding/json"
	"errors"
)

// maxInlineItems is how many items of an inline Map run at once at most (AWS: up to 40).
const maxInlineItems = 40

// mapBody is an inline Map state.
type mapBody struct {
	items           *path // nil: the whole input
	selector        template
	flow            *flow
	concurrency     int
	concurrencyPath *path
}

// compileMap compiles a Map state of either mode.
func compileMap(c *compiler, f *fields) body {
	f.atMostOne("ItemSelector", "Parameters")
	f.atMostOne("ItemProcessor", "Iterator")
	f.atMostOne("MaxConcurrency", "MaxConcurrencyPath")
	items, selector := f.onePlace("ItemsPath"), f.template("ItemSelector")
	if selector == nil {
		selector = f.template("Parameters") // its older name
	}
	name := "ItemProcessor"
	if f.has("Iterator") {
		name = "Iterator"
	}
	v, ok := f.take(name)
	if !ok {
		f.wrong(name, "is missing")
		return &mapBody{}
	}
	p, ok := c.object(f.where+": "+name, v)
	if !ok {
		return &mapBody{}
	}
	defer p.done()
	p.text("Comment")
	if isDistributed(p) {
		return compileDistributed(c, f, p, items, selector)
	}
	b := &mapBody{items: items, selector: selector, flow: c.nestedFlow(p)}
	n, _ := f.integer("MaxConcurrency", 0, 1_000_000)
	b.concurrency, b.concurrencyPath = int(n), f.onePlace("MaxConcurrencyPath")
	return b
}

// isDistributed reads the mode of an ItemProcessor.
func isDistributed(f *fields) bool {
	v, ok := f.take("ProcessorConfig")
	if !ok {
		return false
	}
	config, ok := f.c.object(f.where+": ProcessorConfig", v)
	if !ok {
		return false
	}
	defer config.done()
	mode, ok := config.string("Mode")
	switch {
	case !ok || mode == "INLINE":
		return false
	case mode != "DISTRIBUTED":
		config.wrong("Mode", "%q is unknown; INLINE and DISTRIBUTED are known", mode)
		config.take("ExecutionType")
		return false
	}
	if kind := config.required("ExecutionType"); kind != "" && kind != "STANDARD" {
		config.wrong("ExecutionType", "%q is not supported; only STANDARD is", kind)
	}
	return true
}

func (b *mapBody) run(s *step, input any) (any, error) {
	items, err := itemsAt(b.items, s, input)
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

// itemsAt are the items that ItemsPath leads to; nil: the whole input.
func itemsAt(items *path, s *step, input any) ([]any, error) {
	v := input
	if items != nil {
		var err error
		if v, err = items.eval(s.scope(input)); err != nil {
			return nil, runtimeError("The path '%s' of ItemsPath could not be found in %s", items.text, items.where())
		}
	}
	list, ok := v.([]any)
	if !ok {
		return nil, runtimeError("Reference path of ItemsPath must point to an array, not %s", typeName(v))
	}
	return list, nil
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
	item, err := s.selectItem(b.selector, input, t.item, item)
	if err != nil {
		return nil, err
	}
	if err := s.checkSize(item); err != nil {
		return nil, err
	}
	return s.r.flow(ctx, b.flow, t, &entry{name: b.flow.start, raw: item})
}

// selectItem is what ItemSelector makes of an item; about is $$.Map for it.
func (s *step) selectItem(selector template, input any, about *object, item any) (any, error) {
	if selector == nil {
		return item, nil
	}
	scope := s.scope(input)
	scope.context.set("Map", about)
	v, err := selector.fill(scope)
	if err != nil {
		return nil, s.locate(err)
	}
	return v, nil
}
