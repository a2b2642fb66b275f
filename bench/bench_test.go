package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func runs(walls ...int) (s []sample) {
	for _, w := range walls {
		s = append(s, sample{wall: time.Duration(w) * time.Second, cpu: time.Duration(w) * time.Second / 2, rss: int64(w) << 20})
	}
	return s
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		samples             []sample
		median, least, most time.Duration
		rss                 int64
	}{
		"one":  {runs(3), 3 * time.Second, 3 * time.Second, 3 * time.Second, 3 << 20},
		"odd":  {runs(9, 1, 4), 4 * time.Second, time.Second, 9 * time.Second, 4 << 20},
		"even": {runs(9, 1, 4, 5), 4500 * time.Millisecond, time.Second, 9 * time.Second, 9 << 19},
	} {
		if v := summarize(test.samples); v.wall != test.median || v.least != test.least || v.most != test.most || v.rss != test.rss {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{setup: &setup{config: config{size: 1 << 30}, missing: []string{"rclone is missing"}}, failures: []string{"it broke"}}
	r.add("A condition", []program{{name: "ours"}, {name: "a | b"}, {name: "never"}},
		map[string][]sample{"ours": runs(2, 2, 2), "a | b": runs(4, 6)})
	r.cold = []coldStart{
		{"launch", 9_000_000, []sample{{wall: 5 * time.Millisecond}}}, {"poll", 1, []sample{{wall: 26 * time.Millisecond}}},
		{"plan", 1, nil},
	}
	path := filepath.Join(t.TempDir(), "out.md")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## A condition\n", "| ours | 2.00 s (2.00 to 2.00) | 1.00 | 1.00 s | 1.00 | 2 MiB | 3 |",
		`| a \| b | 5.00 s (4.00 to 6.00) | 2.50 | 2.50 s | 2.50 | 5 MiB | 2 |`, "| never | failed |",
		"| launch | 5.0 ms (5.0 to 5.0) |", "| plan | failed |", "launch meets 25 ms, poll misses 25 ms",
		"- rclone is missing\n- it broke\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if under := coldSection(r.cold, "qemu"); strings.Contains(under, "meets") || !strings.Contains(under, "Under qemu") {
		t.Errorf("an emulator's times are judged:\n%s", under)
	}
}

// TestMain makes this binary a function when it is started as one.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		if os.Getenv("BUCKET") == "" {
			os.Exit(3)
		}
		resp, err := http.Get("http://" + api + "/2018-06-01/runtime/invocation/next")
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		os.Exit(4)
	}
	os.Exit(m.Run())
}

func TestColdStart(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	one, err := (&setup{}).startCold(t.Context(), self)
	if err != nil || one.wall <= 0 || one.rss <= 0 || one.cpu <= 0 {
		t.Errorf("%+v, %v", one, err)
	}
	under := func(command string) *setup { return &setup{dir: t.TempDir(), config: config{under: command}} }
	if one, err = under("env").startCold(t.Context(), self); err != nil || one.wall <= 0 || one.rss <= 0 {
		t.Errorf("under another program: %+v, %v", one, err)
	}
	if _, err := under("false").startCold(t.Context(), self); err == nil || !strings.Contains(err.Error(), "Runtime.ExitError") {
		t.Errorf("a function that ends at once: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := under("tail -f").startCold(ctx, self); err == nil {
		t.Error("a function that never asks has started")
	}
}

func TestReportedPages(t *testing.T) {
	t.Parallel()
	if n := reportedPages(); n < 0 {
		t.Errorf("%d", n)
	}
}
