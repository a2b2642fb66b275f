package failure

import (
	"testing"
	"time"
)

func TestBudgetEnds(t *testing.T) {
	t.Parallel()
	e := &Error{Kind: SourceUnavailable, Temporary: true}
	b := NewBudget(time.Nanosecond, nil)
	for i := range retryTokens {
		if err := b.Wait(t.Context(), e, 0); err != nil {
			t.Fatalf("retry %d: %v", i, err)
		}
	}
	if err := b.Wait(t.Context(), e, 0); err == nil {
		t.Error("the budget has no end")
	}
	b.Earn(10 * bytesPerToken)
	if err := b.Wait(t.Context(), e, 0); err != nil {
		t.Errorf("progress earns nothing: %v", err)
	}
	if err := b.Wait(t.Context(), e, maxAttempts-1); err == nil {
		t.Error("attempts have no end")
	}
}
