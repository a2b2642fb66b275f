package statemachine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// ends are how a step can go wrong for good, and the name that the execution ends with.
var ends = []struct {
	err   error
	ended string
}{
	{failsWith("RequestInvalid", "the last words"), "RequestInvalid"},
	{failsWith("Unauthorized", "the last words"), "Unauthorized"},
	{failsWith("LaunchUncertain", "the last words"), "LaunchUncertain"},
	{failsWith("ScenarioUnavailable", "the last words"), "ScenarioUnavailable"},
	{failsWith("ArchiveURLExpired", "the last words"), "ArchiveURLExpired"},
	{failsWith("ArchiveCorrupt", "the last words"), "ArchiveCorrupt"},
	{failsWith("DestinationUnavailable", "the last words"), "DestinationUnavailable"},
	{failsWith("Internal", "the last words"), "Internal"},
	{failsWith("Runtime.ExitError", "the last words"), "StepFailed"},
	{failsWith("Sandbox.Timedout", "the last words"), "StepFailed"},
	{&asl.Error{Name: "Lambda.ServiceException", Cause: "the last words"}, "StepFailed"},
	{&asl.Error{Name: "Lambda.TooManyRequestsException", Cause: "the last words"}, "StepFailed"},
	{&asl.Error{Name: "States.Timeout", Cause: "the last words"}, "StepFailed"},
}

// course is one way through the machine up to the step that fails.
type course struct {
	name  string
	fails string // the step that fails for good
	when  int    // from which call of the poll or transfer function on
	// expiries is how often the URL expires before the transfer is finished.
	expiries int
	// halves is how often the transfer and the unpacking stop before they are finished, and running how many polls come
	// before the job's end.
	halves, running int
	deadly          bool // the launch dies, so that its job is looked for
	unpack          bool // the archive's files are to become objects
	status          string
}

// Whatever happened before, an execution ends with the name and the cause of the last thing that went wrong; a clean-up
// that fails too does not hide it.
func TestTheLastThingLearntIsTheCause(t *testing.T) {
	t.Parallel()
	m, w := parse(t, "archive.asl.json"), newWalk(t, "archive.asl.json")
	for _, c := range []course{
		{name: "launch", fails: "launch"},
		{name: "the look for the job", fails: "find", deadly: true},
		{name: "the first poll", fails: "poll"},
		{name: "the poll after a look for the job", fails: "poll", deadly: true},
		{name: "the transfer", fails: "transfer"},
		{name: "the poll after an expiry", fails: "poll", when: 1, expiries: 1},
		{name: "the transfer after an expiry", fails: "transfer", when: 1, expiries: 1},
		{name: "the poll after some expiries", fails: "poll", when: 3, expiries: 3},
		{name: "the unpacking", fails: "unpack", unpack: true},
		{name: "the transfer of an archive that is to be unpacked", fails: "transfer", unpack: true},
		{name: "the poll of a job that runs", fails: "poll", when: 2, running: 2},
		{name: "the transfer that goes on", fails: "transfer", when: 2, halves: 2},
		{name: "the unpacking that goes on", fails: "unpack", when: 1, halves: 1, unpack: true},
		{name: "the job fails", status: "failure"},
		{name: "the job is canceled after an expiry", status: "canceled", when: 1, expiries: 1},
		{name: "the job is late after some expiries", status: "timed-out", when: 2, expiries: 2},
	} {
		for i, e := range ends {
			if c.status != "" && i > 0 {
				break
			}
			for _, abortFails := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %v, abort fails %v", c.name, e.err, abortFails), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						r, entered := execute(t, m, "run", c.lambda(e.err, abortFails))
						w.add(entered, r)
						want := c.want(e.ended, e.err)
						if r.Status != asl.StatusFailed || r.Error != want || !strings.Contains(r.Cause, "the last words") ||
							strings.Contains(r.Cause, "before") {
							t.Errorf("ended %s: %s: %s; want %s", r.Status, r.Error, r.Cause, want)
						}
					})
				})
			}
		}
	}
}

// want is the name that the execution ends with.
func (c course) want(ended string, err error) string {
	if name, ok := map[string]string{"failure": "JobFailed", "canceled": "JobCanceled", "timed-out": "JobTimedOut"}[c.status]; ok {
		return name
	}
	// Nothing but these proves that a launch made no job, and no failure of the search proves it at all.
	proof := []string{"RequestInvalid", "Unauthorized", "ScenarioUnavailable", "Lambda.TooManyRequestsException"}
	if name := err.(*asl.Error).Name; c.fails == "find" || c.fails == "launch" && !slices.Contains(proof, name) {
		return "LaunchUncertain"
	}
	return ended
}

func (c course) lambda(err error, abortFails bool) lambda {
	calls := map[string]int{}
	return func(function string, event map[string]any) (any, error) {
		n := calls[function]
		calls[function]++
		switch {
		case function == "launch" && (c.fails == "launch" || c.fails == "find" && event["find"] == true):
			return nil, err
		case function == "launch" && c.deadly && event["find"] == false:
			return nil, failsWith("Runtime.ExitError", "before")
		case function == "launch" && c.unpack:
			launched := launchedNow()
			launched["destination"].(map[string]any)["unpack"] = map[string]any{"prefix": "p/"}
			return launched, nil
		case function == "launch":
			return launchedNow(), nil
		case function == "poll" && n >= c.when && c.fails == "poll":
			return nil, err
		case function == "poll" && n >= c.when && c.status != "":
			return polled(c.status, "", "the last words"), nil
		case function == "poll" && n < c.running:
			return polled("running", "", ""), nil
		case function == "poll":
			return polled("success", "https://archives.example/1", ""), nil
		case event["abort"] == true && abortFails:
			return nil, failsWith("DestinationRefused", "before: the abort")
		case event["abort"] == true:
			return transferred(false), nil
		case function == "transfer" && c.fails == "unpack":
			return transferred(true), nil
		case n < c.halves:
			return transferred(false), nil
		case n < c.expiries:
			return nil, failsWith("ArchiveURLExpired", "before: the URL")
		}
		return nil, err
	}
}
