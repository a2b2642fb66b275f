package zipfile

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

const (
	// maxSpans bounds the memory for a directory in another order than its entries: 24 bytes each.
	maxSpans = 1 << 19
	// maxGaps bounds how many gaps between entries are looked at. Of many alike one is.
	maxGaps = 16
	// harmless is the room in which no local header with a name fits.
	harmless = LocalHeaderLen
)

// errDisorder: the directory has its entries in another order than they lie in. The layout is to be collected again.
var errDisorder = errors.New("the directory is in another order than its entries")

// span is one entry, or several that lie one right behind the other.
type span struct {
	start int64
	last  int64 // the local header of the last
	end   int64 // where the last ends at the earliest
}

// layout collects where the entries lie, and the gaps between them that could hold more than a local extra field. Almost
// every directory is in the order in which its entries lie, and then the entry before is all that has to be remembered.
type layout struct {
	disorder bool // spans are collected
	current  span
	spans    []span
	gaps     []gap
}

// gap lies between an entry and what comes next.
type gap struct {
	entry, end int64 // the local header of the entry before, and where that entry ends at the earliest
	next       int64
}

func (g gap) size() int64 { return g.next - g.end }

func (l *layout) add(e *Entry) error {
	s := span{e.Offset, e.Offset, e.end()}
	if e.Index == 0 {
		l.current = s
		return nil
	}
	g := gap{l.current.last, l.current.end, s.start}
	switch {
	case g.size() >= 0 && (!l.disorder || g.size() <= harmless): // nothing else fits between the two
		l.note(g)
		l.current.last, l.current.end = s.last, s.end
		return nil
	case !l.disorder:
		return errDisorder
	}
	if len(l.spans) == maxSpans {
		return corrupt("the directory has its entries in too much disorder")
	}
	l.spans = append(l.spans, l.current)
	l.current = s
	return nil
}

// note keeps a gap to look at. Gaps of about the same size have the same reason: the latest stands for all, because the
// end of a file is the cheapest to read.
func (l *layout) note(g gap) {
	if g.size() <= harmless {
		return
	}
	alike := func(other gap) bool { return other.size()/(harmless+1) == g.size()/(harmless+1) }
	if i := slices.IndexFunc(l.gaps, alike); i >= 0 {
		l.gaps[i] = g
		return
	}
	if l.gaps = append(l.gaps, g); len(l.gaps) > maxGaps {
		smallest := slices.MinFunc(l.gaps, func(a, b gap) int { return cmp.Compare(a.size(), b.size()) })
		l.gaps = slices.DeleteFunc(l.gaps, func(other gap) bool { return other == smallest })
	}
}

// join puts the spans in order: first is where the first entry begins, past the end of the last.
func (l *layout) join() (first int64, past span, err error) {
	l.spans = append(l.spans, l.current)
	slices.SortFunc(l.spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	for i, s := range l.spans[1:] {
		g := gap{l.spans[i].last, l.spans[i].end, s.start}
		if g.size() < 0 {
			return 0, s, corrupt("two entries overlap, at %d", s.start)
		}
		l.note(g)
	}
	return l.spans[0].start, l.spans[len(l.spans)-1], nil
}

// check walks the directory and compares it with what the end record says and with the file.
func (f *file) check(ctx context.Context, d *Directory) error {
	l, n, err := f.collect(ctx, d, false)
	if errors.Is(err, errDisorder) {
		l, n, err = f.collect(ctx, d, true)
	}
	if err != nil {
		return err
	}
	if n != d.declared && (d.modulo == 0 || n%d.modulo != d.declared) {
		return corrupt("the directory says %d entries and holds %d", d.declared, n)
	}
	d.Entries = n
	if n == 0 {
		return f.nothingBefore(ctx, d.Start)
	}
	first, past, err := l.join()
	if err != nil {
		return err
	}
	if err := f.nothingBefore(ctx, first); err != nil {
		return err
	}
	if g := (gap{past.last, past.end, d.Start}); d.wrapped && g.size() > max32 {
		d.Ambiguous = true // some entry's size overflowed
	} else {
		l.note(g)
	}
	slices.SortFunc(l.gaps, func(a, b gap) int { return cmp.Compare(b.next, a.next) })
	for _, g := range l.gaps {
		if err := g.check(ctx, f.bytes); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) collect(ctx context.Context, d *Directory, disorder bool) (*layout, int64, error) {
	l := &layout{disorder: disorder}
	n := int64(0)
	err := d.Walk(ctx, f.bytes, func(e *Entry) error {
		n++
		return l.add(e)
	})
	return l, n, err
}

// check looks into the gap for entries that the directory does not have. The local header before it says how much of it is
// an extra field.
func (g gap) check(ctx context.Context, open Opener) error {
	header, err := readRange(ctx, open, g.entry, LocalHeaderLen)
	if err != nil {
		return err
	}
	local, ok := ParseLocal(header)
	if !ok {
		return corrupt("the directory says that an entry is at %d, and there is none", g.entry)
	}
	// g.end counts the name as long as the directory has it; the smallest end is that without a name.
	end := g.end + int64(local.ExtraLen)
	if end > g.next {
		return corrupt("the entry at %d reaches into what follows it", g.entry)
	}
	if g.next-end < LocalHeaderLen {
		return nil
	}
	body, err := open(ctx, end, g.next-end)
	if err != nil {
		return err
	}
	defer body.Close()
	at, found, err := findLocalHeader(body, g.next-end)
	if found {
		return unaccounted(end + at)
	}
	return err
}

// nothingBefore checks what lies before the first entry: a program that extracts itself may, entries may not.
func (f *file) nothingBefore(ctx context.Context, first int64) error {
	if first > f.clean && !f.dirty {
		body, err := f.bytes(ctx, 0, first)
		if err != nil {
			return err
		}
		defer body.Close()
		if f.clean, f.dirty, err = findFront(body, first); err != nil {
			return err
		}
	}
	if f.dirty && f.clean < first {
		return unaccounted(f.clean)
	}
	return nil
}

func unaccounted(at int64) error {
	return corrupt("the directory does not account for the entry at %d: the archive is cut short, or damaged", at)
}
