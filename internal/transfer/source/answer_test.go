package source

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-3": 0, "soon": 0, "99999999999": time.Hour,
		"Thu, 01 Jan 2026 00:00:30 GMT": 30 * time.Second, "Wed, 31 Dec 2025 23:59:30 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %v; want %v", in, got, want)
		}
	}
}

func TestParseContentRange(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]ContentRange{
		"bytes 0-0/1": {0, 0, 1}, "bytes 5-9/10": {5, 9, 10}, "bytes 5-9/*": {5, 9, -1},
		"BYTES 0-8388607/50000000000000": {0, 8388607, 50000000000000},
	} {
		if got, err := ParseContentRange(in); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "bytes", "bytes 0-9", "bytes */10", "bytes 9-0/10", "bytes 0-10/10", "bytes -5/10", "bytes 0-/10", "bytes +0-9/10", "bytes 0-9/-1",
		"items 0-9/10", "bytes */*", "bytes 0-9/99999999999999999999", "bytes=0-9/10", "bytes 0-9/10,20-29/10",
	} {
		if got, err := ParseContentRange(in); err == nil {
			t.Errorf("%q is taken for %v", in, got)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes=0-1/2", "", "bytes 0-9/10\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, err := ParseContentRange(header)
		if err != nil {
			return
		}
		if c.From > c.To || c.Size >= 0 && c.To >= c.Size || c.From < 0 {
			t.Errorf("%q is taken for %+v", header, c)
		}
	})
}
