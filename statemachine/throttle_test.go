package statemachine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// slots are the concurrent invocations that a function may have; one beyond them is refused, as Lambda does.
type slots struct {
	mu       sync.Mutex
	free     int
	throttle int // refusals
}

var errThrottled = &asl.Error{Name: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded."}

func (s *slots) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free == 0 {
		s.throttle++
		return false
	}
	s.free--
	return true
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
}

// Many more archives than the transfer function has slots, each of which is held for its quarter of an hour: every one
// comes to its turn.
func TestMoreArchivesThanSlots(t *testing.T) {
	t.Parallel()
	m := parse(t, "archive.asl.json")
	synctest.Test(t, func(t *testing.T) {
		s := &slots{free: 10}
		l := lambda(func(function string, _ map[string]any) (any, error) {
			switch function {
			case "launch":
				return launchedNow(), nil
			case "poll":
				return polled("success", "https://archives.example/1", ""), nil
			}
			if !s.take() {
				return nil, errThrottled
			}
			defer s.give()
			time.Sleep(14 * time.Minute)
			return transferred(true), nil
		})
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				if r, _ := execute(t, m, fmt.Sprintf("run-%d", i), l); r.Status != asl.StatusSucceeded {
					t.Errorf("archive %d ended %s: %s: %s", i, r.Status, r.Error, r.Cause)
				}
			})
		}
		all.Wait()
		if s.throttle == 0 {
			t.Error("no call was throttled")
		}
	})
}

// Lambda has no free slot at all for twenty minutes, wherever the execution is then.
func TestLambdaIsFullForTwentyMinutes(t *testing.T) {
	t.Parallel()
	m := parse(t, "archive.asl.json")
	for _, full := range []string{"launch", "find", "poll", "transfer", "abort"} {
		t.Run(full, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var since time.Time
				l := lambda(func(function string, event map[string]any) (any, error) {
					step := function
					switch {
					case event["find"] == true:
						step = "find"
					case event["abort"] == true:
						step = "abort"
					}
					if step == full {
						if since.IsZero() {
							since = time.Now()
						}
						if time.Since(since) < 20*time.Minute {
							return nil, errThrottled
						}
					}
					switch {
					case step == "launch" && full == "find":
						return nil, failsWith("Runtime.ExitError", "killed")
					case function == "launch":
						return launchedNow(), nil
					case step == "poll":
						return polled("success", "https://archives.example/1", ""), nil
					case step == "transfer" && full == "abort":
						return nil, failsWith("ArchiveCorrupt", "no ZIP")
					}
					return transferred(step == "transfer"), nil
				})
				r, _ := execute(t, m, "run", l)
				if full == "abort" {
					if r.Error != "ArchiveCorrupt" || r.Cause != "no ZIP" {
						t.Errorf("ended %s: %s: %s", r.Status, r.Error, r.Cause)
					}
				} else if r.Status != asl.StatusSucceeded {
					t.Errorf("ended %s: %s: %s", r.Status, r.Error, r.Cause)
				}
				if time.Since(since) < 20*time.Minute {
					t.Errorf("it ended after %s", time.Since(since))
				}
			})
		})
	}
}

// A transfer that never comes to its turn ends the execution, and the end of its upload comes to its own.
func TestTheUploadIsAbortedThoughTheTransferWasThrottled(t *testing.T) {
	t.Parallel()
	m := parse(t, "archive.asl.json")
	synctest.Test(t, func(t *testing.T) {
		transfers, aborts := 0, 0
		l := lambda(func(function string, event map[string]any) (any, error) {
			switch {
			case function == "launch":
				return launchedNow(), nil
			case function == "poll":
				return polled("success", "https://archives.example/1", ""), nil
			case event["abort"] == false:
				transfers++
				return nil, errThrottled
			}
			if aborts++; aborts < 100 {
				return nil, errThrottled
			}
			return transferred(false), nil
		})
		r, _ := execute(t, m, "run", l)
		if r.Error != "StepFailed" || !strings.Contains(r.Cause, "TooManyRequestsException") {
			t.Errorf("ended %s: %s: %s", r.Status, r.Error, r.Cause)
		}
		if transfers < 500 || aborts != 100 {
			t.Errorf("%d transfers and %d aborts were tried", transfers, aborts)
		}
	})
}
