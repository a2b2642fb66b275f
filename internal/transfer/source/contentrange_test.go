package source

import "testing"

func TestParseContentRange(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]ContentRange{
		"bytes 0-0/1": {0, 0, 1}, "bytes 5-9/10": {5, 9, 10}, "bytes 5-9/*": {5, 9, -1}, "bytes */10": {-1, -1, 10},
		"BYTES 0-8388607/50000000000000": {0, 8388607, 50000000000000},
	} {
		if got, err := ParseContentRange(in); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "bytes", "bytes 0-9", "bytes 9-0/10", "bytes 0-10/10", "bytes -5/10", "bytes 0-/10", "bytes +0-9/10", "bytes 0-9/-1",
		"items 0-9/10", "bytes */*", "bytes 0-9/99999999999999999999", "bytes=0-9/10", "bytes 0-9/10,20-29/10",
	} {
		if got, err := ParseContentRange(in); err == nil {
			t.Errorf("%q is taken for %v", in, got)
		}
	}
}
