package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// measured is measured.json.
type measured struct {
	// On names the machine, and Date the day.
	On, Date string
	// Transitions are counted from the paths that the tests of statemachine/ execute.
	Transitions transitions
	// Launch, Poll and Transfer are medians of local runs, without the time that the job's and the archive's hosts take
	// from a real distance; Transfer is for an archive of next to nothing. PlanMillion and ManifestMillion are for a
	// million assets, as TestAMillionAssets of internal/batch logs them.
	Launch, Poll, Transfer, PlanMillion, ManifestMillion milliseconds
}

type milliseconds float64

func (m milliseconds) duration() time.Duration { return time.Duration(float64(m) * 1e6) }

// transitions are states entered: Step Functions charges for each, and for each retry.
type transitions struct {
	Archive      int // of an archive, beside those for
	EachPoll     int
	EachTransfer int
	Batch        int // of a batch, beside those for
	Child        int // of each archive, beside the archive's own
}

// way is a case of the state machines' tests: the states that were entered, and the functions' answers.
type way struct {
	Status  string
	Path    []string
	Answers map[string][]struct {
		Error  json.RawMessage
		Status int
	}
}

func readWays(file string) (ways []way, err error) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &ways)
	}
	return slices.DeleteFunc(ways, func(w way) bool { return w.Status != "SUCCEEDED" || w.troubled() }), err
}

// troubled is a way with an error in it: its retries are states of their own.
func (w way) troubled() bool {
	for _, answers := range w.Answers {
		for _, a := range answers {
			if a.Error != nil || a.Status != 0 {
				return true
			}
		}
	}
	return false
}

// countTransitions finds how many states each poll and each transfer adds, and makes sure that this explains all ways.
func countTransitions(testdata string) (t transitions, err error) {
	archives, err := readWays(filepath.Join(testdata, "archive_cases.json"))
	if err != nil {
		return t, err
	}
	seen := map[[2]int]int{}
	for _, w := range archives {
		seen[[2]int{len(w.Answers["poll"]), len(w.Answers["transfer"])}] = len(w.Path)
	}
	one := seen[[2]int{1, 1}]
	for k, n := range seen {
		switch {
		case k[0] > 1 && k[1] == 1:
			t.EachPoll = (n - one) / (k[0] - 1)
		case k[0] == 1 && k[1] > 1:
			t.EachTransfer = (n - one) / (k[1] - 1)
		}
	}
	t.Archive = one - t.EachPoll - t.EachTransfer
	for k, n := range seen {
		if t.Archive+k[0]*t.EachPoll+k[1]*t.EachTransfer != n {
			return t, fmt.Errorf("a way with %d polls and %d transfers enters %d states: the formula is wrong", k[0], k[1], n)
		}
	}
	if t.Batch, err = longest(testdata, "batch_cases.json", "CheckAgain"); err != nil {
		return t, err
	}
	t.Child, err = longest(testdata, "batch_child_cases.json", "Archive")
	return t, err
}

// longest is how many states the way has that goes once through a state.
func longest(testdata, file, once string) (n int, err error) {
	ways, err := readWays(filepath.Join(testdata, file))
	for _, w := range ways {
		if slices.Index(w.Path, once) == len(w.Path)-1-slices.Index(reversed(w.Path), once) {
			n = max(n, len(w.Path))
		}
	}
	if n == 0 {
		err = errors.Join(err, fmt.Errorf("%s has no way through %s", file, once))
	}
	return n, err
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

// fromLogs is the median of a function's durations in the log of local runs.
func fromLogs(file string) (milliseconds, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var all []float64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		var entry struct {
			Msg        string
			DurationMs *float64
		}
		if at := strings.IndexByte(line, '{'); at >= 0 && json.Unmarshal([]byte(line[at:]), &entry) == nil &&
			entry.Msg == "step done" && entry.DurationMs != nil {
			all = append(all, *entry.DurationMs)
		}
	}
	if len(all) == 0 {
		return 0, fmt.Errorf("%s: no step is done there", file)
	}
	slices.Sort(all)
	return milliseconds(math.Ceil(all[len(all)/2])), nil
}
