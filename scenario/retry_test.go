package scenario

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

var clock = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return clock.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"none", "", "", 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"zero", "0", "", 0},
		{"negative", "-5", "", 0},
		{"a fraction", "1.5", "", 0},
		{"no number", "soon", "", 0},
		{"too large for a duration", "9223372036854775807", "", maxRetryAfter},
		{"too large for a number", "99999999999999999999999", "", maxRetryAfter},
		{"a date", in(90 * time.Second), "", 90 * time.Second},
		{"a past date", in(-time.Hour), "", 0},
		{"a date far away", in(3 * maxRetryAfter), "", maxRetryAfter},
		{"a date by a clock that is wrong", in(time.Hour + 10*time.Second), in(time.Hour), 10 * time.Second},
		{"a date in RFC 850's form", clock.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), "", time.Minute},
	} {
		h := http.Header{}
		h.Set("Retry-After", test.value)
		h.Set("Date", test.date)
		if got := parseRetryAfter(h, clock); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-1", "1e9", "99999999999999999999", "Mon, 04 May 2026 03:02:01 GMT",
		"Monday, 04-May-26 03:02:01 GMT", "Mon May  4 03:02:01 2026", "٣"} {
		f.Add(seed, "")
		f.Add(seed, "Mon, 04 May 2026 03:02:01 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		if got := parseRetryAfter(h, clock); got < 0 || got > maxRetryAfter {
			t.Errorf("%q, %q: %v", value, date, got)
		}
	})
}

func TestWaitsGrowUpToTheirCeiling(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 500})
	c := api.client(func(o *Options) { o.MaxAttempts, o.MaxRetryWait = 6, 3*time.Second })
	_, err := c.Job(t.Context(), JobRef{ID: "j"})
	if e := failureOf(t, err); e.Kind != KindUnavailable || e.StatusCode != 500 {
		t.Errorf("%+v", e)
	}
	want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}
	if len(c.slept) != len(want) || len(api.requests()) != 6 {
		t.Fatalf("%d calls, slept %v", len(api.requests()), c.slept)
	}
	for i := range want {
		if c.slept[i] != want[i] {
			t.Errorf("wait %d is %v, want %v", i, c.slept[i], want[i])
		}
	}
}

func TestJitterIsFull(t *testing.T) {
	t.Parallel()
	c, err := New(Options{Credentials: StaticCredentials("k", "s")})
	if err != nil {
		t.Fatal(err)
	}
	var least, most time.Duration = time.Hour, 0
	for range 2000 {
		d := c.backoff(3) // up to a second
		least, most = min(least, d), max(most, d)
	}
	if least <= 0 || least > 100*time.Millisecond || most < 900*time.Millisecond || most > time.Second {
		t.Errorf("waits between %v and %v", least, most)
	}
	if d := c.backoff(1000); d <= 0 || d > defaultMaxRetryWait {
		t.Errorf("a late wait is %v", d)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	ok := scriptedAnswer{status: 200, body: `{"job":{"status":"x"}}`}
	for _, test := range []struct {
		name        string
		status      int
		header      string
		deadline    time.Duration // of the context; 0: none
		least, most time.Duration // of the wait; 0: none is made
		kind        Kind
	}{
		{"waited, with jitter on top", 429, "5", 0, 5 * time.Second, 6 * time.Second, ""},
		{"of a 503 too", 503, "2", 0, 2 * time.Second, 3 * time.Second, ""},
		{"exactly the longest", 429, "20", 0, 20 * time.Second, 20 * time.Second, ""},
		{"longer than the longest", 429, "21", 0, 0, 0, KindRateLimited},
		{"longer than the longest, 503", 503, "21", 0, 0, 0, KindUnavailable},
		{"past the deadline", 429, "10", 9 * time.Second, 0, 0, KindRateLimited},
		{"before the deadline", 429, "5", 9 * time.Second, 5 * time.Second, 6 * time.Second, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := script(t, scriptedAnswer{status: test.status, header: map[string]string{"Retry-After": test.header}}, ok)
			c := api.client()
			ctx := t.Context()
			if test.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.deadline)
				defer cancel()
			}
			_, err := c.Job(ctx, JobRef{ID: "j"})
			if test.kind != "" {
				e := failureOf(t, err)
				if e.Kind != test.kind || e.RetryAfter == 0 || len(c.slept) != 0 {
					t.Errorf("slept %v, %+v", c.slept, e)
				}
				return
			}
			if err != nil || len(c.slept) != 1 || c.slept[0] < test.least || c.slept[0] > test.most {
				t.Errorf("slept %v, %v", c.slept, err)
			}
		})
	}
}

func TestWhatAGetIsRepeatedAfter(t *testing.T) {
	t.Parallel()
	ok := scriptedAnswer{status: 200, body: `{"job":{"status":"x"}}`}
	for _, test := range []struct {
		name  string
		first scriptedAnswer
		calls int
	}{
		{"408", scriptedAnswer{status: 408}, 2}, {"425", scriptedAnswer{status: 425}, 2},
		{"429", scriptedAnswer{status: 429}, 2}, {"500", scriptedAnswer{status: 500}, 2},
		{"502", scriptedAnswer{status: 502}, 2}, {"503", scriptedAnswer{status: 503}, 2},
		{"504", scriptedAnswer{status: 504}, 2}, {"a lost connection", scriptedAnswer{do: hangUp}, 2},
		{"400", scriptedAnswer{status: 400}, 1}, {"401", scriptedAnswer{status: 401}, 1},
		{"403", scriptedAnswer{status: 403}, 1}, {"409", scriptedAnswer{status: 409}, 1},
		{"302", scriptedAnswer{status: 302, header: map[string]string{"Location": "/v1/jobs/other"}}, 1},
	} {
		api := script(t, test.first, ok)
		_, err := api.client().Job(t.Context(), JobRef{ID: "j", Endpoint: EndpointArchive})
		if calls := len(api.requests()); calls != test.calls || (err == nil) != (test.calls == 2) {
			t.Errorf("%s: %d calls, %v", test.name, calls, err)
		}
	}
}

func TestCancellationEndsAWait(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 500})
	c := api.client()
	ctx, cancel := context.WithCancel(t.Context())
	c.sleep = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return sleep(ctx, time.Hour) // the real one
	}
	_, err := c.Job(ctx, JobRef{ID: "j"})
	if e := failureOf(t, err); e.Kind != KindCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

func TestCanceledBeforeTheCall(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: guideAnswer})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.client().LaunchArchive(ctx, oneAsset); failureOf(t, err).Kind != KindCanceled {
		t.Errorf("%v", err) // certain: nothing was sent
	}
	if got := api.uris(); got != "" {
		t.Errorf("calls: %s", got)
	}
}

func TestSleepEnds(t *testing.T) {
	t.Parallel()
	if err := sleep(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
}
