package display

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// note is one thing worth telling about an execution.
type note struct {
	at    time.Time
	state string
	text  string
	kind  noteKind
}

type noteKind int

const (
	noteNow   noteKind = iota // what goes on until the next note: for a live line alone
	noteBegin                 // the same, and worth a line where there is no live one
	noteDone                  // a step that is done
	noteSame                  // a step that is done and told nothing new
	noteBad                   // a step that failed
	noteGood                  // the good end
)

// narrator turns the history of one execution into notes. It knows the states of the archive state machine by what
// their outputs look like; any other state machine is told by its states' names alone.
type narrator struct {
	state    string // that is being worked on
	entered  time.Time
	attempts int
	told     string // Scenario's status that was told last
	job      string // how the job stood at the last poll

	times   Times
	launchd time.Time
}

// Times says how long the parts of an execution took.
type Times struct {
	Launch, Job, Transfer, Total time.Duration
}

// output holds what the steps' outputs may say; see the archive state machine.
type output struct {
	Job struct {
		ID string `json:"jobId"`
	} `json:"job"`
	Poll struct {
		Status         string  `json:"status"`
		ScenarioStatus string  `json:"scenarioStatus"`
		Progress       float64 `json:"progress"`
		WaitSeconds    float64 `json:"waitSeconds"`
		Cause          string  `json:"cause"`
	} `json:"poll"`
	Destination struct {
		Key string `json:"key"`
	} `json:"destination"`
	Transfer struct {
		Finished bool `json:"finished"`
		Output   struct {
			Size    int64 `json:"size"`
			Entries int64 `json:"entries"`
		} `json:"output"`
	} `json:"transfer"`
}

func read(data string) (o output) {
	_ = json.Unmarshal([]byte(data), &o) // what is of another shape says nothing
	return o
}

// tell returns what an event is worth telling.
func (n *narrator) tell(e asl.Event) (note, bool) {
	d := e.Details
	switch e.Type {
	case "TaskStateEntered":
		n.enter(d.Name, e.Time)
		return n.begin(e, working(d.Name), d.Name == "Transfer"), true
	case "WaitStateEntered":
		n.enter(d.Name, e.Time)
		return n.begin(e, n.waiting(read(d.Input)), true), true
	case "TaskStateExited":
		return n.exit(e), true
	case "TaskScheduled":
		n.attempts++
		return n.begin(e, fmt.Sprintf("%s, attempt %d", working(n.state), n.attempts), true), n.attempts > 1
	case "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed":
		return note{e.Time, n.state, failureText(d.Error, d.Cause), noteBad}, true
	case "ExecutionSucceeded":
		return note{e.Time, "Done", "", noteGood}, true
	case "ExecutionFailed", "ExecutionTimedOut":
		return note{e.Time, "Failed", failureText(d.Error, d.Cause), noteBad}, true
	case "ExecutionAborted":
		return note{e.Time, "Stopped", d.Error, noteBad}, true
	}
	return note{}, false
}

func (n *narrator) enter(state string, at time.Time) {
	n.state, n.entered, n.attempts = state, at, 0
	if state == "Transfer" && n.times.Job == 0 && !n.launchd.IsZero() {
		n.times.Job = at.Sub(n.launchd)
	}
}

func (n *narrator) begin(e asl.Event, text string, worthALine bool) note {
	if worthALine {
		return note{e.Time, n.state, text, noteBegin}
	}
	return note{e.Time, n.state, text, noteNow}
}

func working(state string) string {
	switch state {
	case "Launch":
		return "asking Scenario for the archive"
	case "Poll":
		return "asking how the job stands"
	case "Transfer":
		return "moving the archive into S3"
	case "AbortUpload":
		return "removing what was uploaded"
	default:
		return "working"
	}
}

func (n *narrator) waiting(o output) string {
	text := "until the next poll"
	if o.Poll.WaitSeconds > 0 {
		text = Duration(time.Duration(o.Poll.WaitSeconds*float64(time.Second))) + " " + text
	}
	if n.job != "" {
		text += "; the job: " + n.job
	}
	return text
}

func jobText(o output) string {
	status := o.Poll.ScenarioStatus
	if status == "" {
		status = o.Poll.Status
	}
	if o.Poll.Status == "running" {
		status += fmt.Sprintf(", %.0f %%", math.Floor(o.Poll.Progress*100))
	}
	return status
}

// exit tells how a step ended, by its output.
func (n *narrator) exit(e asl.Event) note {
	took := e.Time.Sub(n.entered)
	o := read(e.Details.Output)
	done := note{e.Time, e.Details.Name, "", noteDone}
	switch e.Details.Name {
	case "Launch":
		n.times.Launch, n.launchd = took, e.Time
		if o.Job.ID != "" {
			done.text = "job " + o.Job.ID
		}
	case "Poll":
		n.pollText(&done, o)
	case "Transfer":
		n.times.Transfer += took
		done.text = transferText(o, took)
	case "AbortUpload":
		done.text = "nothing is left of the upload"
	}
	return done
}

// pollText marks a poll that tells the same status as the last: on a terminal the live line is enough for it.
func (n *narrator) pollText(done *note, o output) {
	n.job = jobText(o)
	done.text = n.job
	status := o.Poll.Status + " " + o.Poll.ScenarioStatus
	if status == n.told {
		done.kind = noteSame
	}
	n.told = status
}

func transferText(o output, took time.Duration) string {
	if !o.Transfer.Finished {
		return "not finished in one run of the function; it goes on in the next"
	}
	out := o.Transfer.Output
	text := fmt.Sprintf("%d files, %s in %s", out.Entries, Bytes(out.Size), Duration(took))
	if r := rate(out.Size, took); r != "" {
		text += ", " + r
	}
	return text
}

// failureText is an error with its cause. The cause of a function's error is JSON that holds what a person should read.
func failureText(name, cause string) string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &function) == nil && function.Message != "" {
		cause = function.Message
	}
	if cause == "" {
		return name
	}
	return name + ": " + cause
}
