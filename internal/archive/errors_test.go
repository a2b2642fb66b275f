package archive

import (
	"errors"
	"fmt"
	"testing"
)

func TestNameOf(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	inner := NewError(SourceUnavailable, cause, "no %s", "answer")
	for name, c := range map[string]struct {
		err  error
		want Name
		text string
	}{
		"another error":   {cause, "", "cause"},
		"itself":          {inner, SourceUnavailable, "no answer"},
		"wrapped":         {fmt.Errorf("part 3: %w", inner), SourceUnavailable, "part 3: no answer"},
		"made of another": {NewError(Internal, inner, "why"), Internal, "why"},
	} {
		if got := NameOf(c.err); got != c.want || c.err.Error() != c.text {
			t.Errorf("%s: got %q %q, want %q %q", name, got, c.err, c.want, c.text)
		}
		if !errors.Is(c.err, cause) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
	if NameOf(nil) != "" {
		t.Error("nil has a name")
	}
}
