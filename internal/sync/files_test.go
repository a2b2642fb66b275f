package sync

import (
	"context"
	"sync/atomic"
	"testing"
)

// However long a sequence is, no more of its items are held than are allowed.
func TestEachOfHoldsFew(t *testing.T) {
	t.Parallel()
	const most, items = 3, 10
	var given, worked atomic.Int64
	all := func(yield func(int, error) bool) {
		for i := range items {
			if held := given.Add(1) - worked.Load(); held > most {
				t.Errorf("%d items are held", held)
			}
			if !yield(i, nil) {
				return
			}
		}
	}
	err := eachOf(t.Context(), all, most, func(context.Context, int) error { worked.Add(1); return nil })
	if err != nil || worked.Load() != items {
		t.Errorf("%d of %d items, %v", worked.Load(), items, err)
	}
}
