package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const repository = "../.."

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{repository}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page must be what the program makes, from transitions that are those of today's definitions.
func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	m, err := read("measured.json")
	if err != nil {
		t.Fatal(err)
	}
	counted, err := countTransitions(filepath.Join(repository, "statemachine", "testdata"))
	if err != nil || counted != m.Transitions {
		t.Errorf("the definitions have %+v, %v; measured.json has %+v: run go run ./docs/cost", counted, err, m.Transitions)
	}
	if page(m) != readFile(t, "docs", "cost.md") {
		t.Error("docs/cost.md is not what this program writes: run go run ./docs/cost")
	}
	if strings.Contains(page(m), "{{") {
		t.Error("a place in the page is not filled")
	}
}

// The model repeats numbers that other packages keep to themselves.
func TestTheModelIsTheDesigns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, text string }{
		{"functions/launch/handler.go", "firstWaitSeconds = 1\n"},
		{"internal/transfer/limits.go", "firstRange = 8 * mib\n"},
		{"internal/transfer/limits.go", "smallestChosenPart = 8 * mib\n"},
		{"internal/transfer/limits.go", "largestChosenPart  = 32 * mib\n"},
		{"internal/transfer/limits.go", "chosenParts        = 128\n"},
		{"internal/transfer/limits.go", "maxDataParts    = maxParts - 2\n"},
	} {
		if !strings.Contains(readFile(t, c.file), c.text) {
			t.Errorf("%s has no %q any more: see model.go", c.file, c.text)
		}
	}
	if assetsPerArchive != scenario.MaxAssets || concurrency != batch.DefaultMaxConcurrency {
		t.Error("the model's batches are not the design's")
	}
}

func TestPolls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		job         time.Duration
		ours, guide int
		late        time.Duration
	}{
		{time.Second, 1, 1, 0}, {time.Second + 1, 2, 1, time.Second}, {3 * time.Second, 3, 1, 0},
		{4 * time.Second, 4, 2, 0}, {24 * time.Hour, 410, 28800, 5 * time.Minute},
	} {
		n, seen := polls(c.job)
		if n != c.ours || seen < c.job || seen-c.job > c.late {
			t.Errorf("%s: %d polls until %s, want %d", c.job, n, seen, c.ours)
		}
		if n, seen := guidesPolls(c.job); n != c.guide || seen < c.job || seen-c.job >= 3*time.Second {
			t.Errorf("%s: the guide polls %d times until %s, want %d", c.job, n, seen, c.guide)
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]float64{
		1: 1, 8 * mib: 1, 8*mib + 1: 2 + 5, 16 * mib: 2 + 5, 16*mib + 1: 3 + 5, 10 << 30: 321 + 5,
	} {
		if puts, _ := requests(size); puts != want {
			t.Errorf("%d bytes: %g, want %g", size, puts, want)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	m := measured{Transitions: transitions{Archive: 2, EachPoll: 3, EachTransfer: 2, Batch: 6, Child: 3}}
	one, thousand, more := m.of(1, polls), m.of(1000, polls), m.of(1001, polls)
	looks, _ := polls(jobTime(1))
	if one.Transitions != float64(2+3*looks+2) || one.Invocations != float64(2+looks) {
		t.Errorf("an asset: %+v", one)
	}
	if more.Transitions != 2*(thousand.Transitions+3)+6 || more.Invocations != 2*thousand.Invocations+2 {
		t.Errorf("1001 assets: %+v, where 1000 have %+v", more, thousand)
	}
	if w := m.of(6000, polls).Wall - m.of(5000, polls).Wall; w < thousand.Wall {
		t.Errorf("a sixth archive takes %s more, want at least %s", w, thousand.Wall)
	}
	unit := usage{Transitions: 1000, Invocations: 1e6, GBSeconds: 1, Puts: 1000, Gets: 1000}
	if got := unit.dollars(); got < 0.2304 || got > 0.2305 {
		t.Errorf("$%g", got)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(text string, path ...string) {
		file := filepath.Join(append([]string{dir}, path...)...)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"archive_cases.json", "batch_cases.json", "batch_child_cases.json"} {
		put(readFile(t, "statemachine", "testdata", name), "statemachine", "testdata", name)
	}
	put(`{"Launch":1,"PlanMillion":5}`, "docs", "cost", "measured.json")
	put("2026 {\"msg\":\"step done\",\"durationMs\":30}\nnoise\n2026 {\"msg\":\"step done\",\"durationMs\":20}\n"+
		"2026 {\"msg\":\"step failed\",\"durationMs\":9}\n2026 {\"msg\":\"step done\",\"durationMs\":70}\n", "logs", "launch.log")
	logs := filepath.Join(dir, "logs")
	if err := run(dir, logs, "here", "now"); err == nil || !strings.Contains(err.Error(), ".log") {
		t.Errorf("without two of the logs: %v", err)
	}
	put(`x {"msg":"step done","durationMs":4}`, "logs", "poll.log")
	put(`x {"msg":"other"}`, "logs", "transfer.log")
	if err := run(dir, logs, "here", "now"); err == nil || !strings.Contains(err.Error(), "no step is done") {
		t.Errorf("with a log of nothing: %v", err)
	}
	put(`x {"msg":"step done","durationMs":500}`, "logs", "transfer.log")
	if err := run(dir, logs, "here", "now"); err != nil {
		t.Fatal(err)
	}
	m, err := read(filepath.Join(dir, "docs", "cost", "measured.json"))
	if err != nil || m.Launch != 30 || m.Poll != 4 || m.Transfer != 500 || m.PlanMillion != 5 || m.On != "here" || m.Transitions.EachPoll != 3 {
		t.Errorf("got %+v, %v", m, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "docs", "cost.md"))
	if err != nil || !strings.Contains(string(text), "launch 30 ms") {
		t.Errorf("%v:\n%.300s", err, text)
	}

	put(`[{"status":"SUCCEEDED","path":["a","b","c"],"answers":{"poll":[{}],"transfer":[{}]}},
		{"status":"SUCCEEDED","path":["a"],"answers":{"poll":[{},{}],"transfer":[{},{}]}}]`, "statemachine", "testdata", "archive_cases.json")
	if err := run(dir, "", "", ""); err == nil || !strings.Contains(err.Error(), "the formula is wrong") {
		t.Errorf("with ways that no formula explains: %v", err)
	}
	put(`{}`, "statemachine", "testdata", "archive_cases.json")
	if err := run(dir, "", "", ""); err == nil {
		t.Error("cases of no sense were taken")
	}
	if err := run(filepath.Join(dir, "none"), "", "", ""); err == nil {
		t.Error("a repository that is none was taken")
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(1000): "1,000", number(1234567.2): "1,234,568",
		small(0.123): "0.12", small(100): "100", dollars(0.00123): "$0.0012", dollars(2.345): "$2.35",
		span(1500 * time.Millisecond): "2 s", span(3 * time.Minute): "3 min", span(3 * time.Hour): "3 h", span(80 * time.Hour): "4 days",
		ms(0): "under 1 ms", ms(5): "5 ms",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
