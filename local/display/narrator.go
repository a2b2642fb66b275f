package display

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// note is one line about an execution.
type note struct {
	at    time.Time
	state string
	text  string
	kind  noteKind
}

type noteKind int

const (
	noteNow   noteKind = iota // the step that runs until the next note: for a live line alone
	noteBegin                 // the same, printed where there is no live line
	noteDone                  // a step that is done
	noteSame                  // a step that is done and brought nothing new
	noteBad                   // a step, or the execution, that failed
	noteGood                  // the execution succeeded
)

// narrator turns the history of one execution into notes. It knows the states of the archive state machine by what
// their outputs look like; of any other state machine it gives the states' names alone.
type narrator struct {
	state    string // that is being worked on
	entered  time.Time
	attempts int
	failed   bool   // its last attempt
	status   string // of the job, at the last poll
	job      string // the same, in words

	times    Times
	launched time.Time
}

// Times says how long the steps of an execution took.
type Times struct {
	Launch, Job, Transfer, Unpack time.Duration
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
		Finished bool           `json:"finished"`
		Output   archive.Output `json:"output"`
	} `json:"transfer"`
}

func read(data string) (o output) {
	_ = json.Unmarshal([]byte(data), &o) // what is of another shape says nothing
	return o
}

// describe returns the note about an event, if there is one.
func (n *narrator) describe(e asl.Event) (note, bool) {
	d := e.Details
	switch e.Type {
	case "TaskStateEntered":
		n.enter(d.Name, e.Time)
		return n.begin(e, working(d.Name), d.Name == "Transfer" || d.Name == "Unpack"), true
	case "WaitStateEntered":
		n.enter(d.Name, e.Time)
		return n.begin(e, n.waiting(read(d.Input)), true), true
	case "TaskStateExited":
		if n.failed {
			return caught(e)
		}
		return n.exit(e), true
	case "TaskScheduled":
		n.attempts++
		n.failed = false
		return n.begin(e, fmt.Sprintf("%s, attempt %d", working(n.state), n.attempts), true), n.attempts > 1
	case "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed":
		n.failed = true
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
	n.state, n.entered, n.attempts, n.failed = state, at, 0, false
	if state == "Transfer" && n.times.Job == 0 && !n.launched.IsZero() {
		n.times.Job = at.Sub(n.launched)
	}
}

func (n *narrator) begin(e asl.Event, text string, printed bool) note {
	if printed {
		return note{e.Time, n.state, text, noteBegin}
	}
	return note{e.Time, n.state, text, noteNow}
}

var work = map[string]string{
	"Launch":      "asking Scenario for the archive",
	"FindJob":     "looking for the job that the launch may have made",
	"Poll":        "asking for the status of the job",
	"Transfer":    "transferring the archive into S3",
	"Unpack":      "unpacking the archive into objects",
	"AbortUpload": "removing what was uploaded",
	"AbortUnpack": "aborting unfinished uploads",
}

func working(state string) string { return cmp.Or(work[state], "working") }

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
	status := cmp.Or(o.Poll.ScenarioStatus, o.Poll.Status)
	if o.Poll.Status == "running" {
		status += fmt.Sprintf(", %.0f %%", math.Floor(o.Poll.Progress*100))
	}
	return status
}

// caught describes the exit of a step whose failure the state machine caught: the failure has its note already, and the
// output is none of the function's.
func caught(e asl.Event) (note, bool) {
	return note{e.Time, e.Details.Name, "the unfinished upload is still in S3", noteBad}, e.Details.Name == "AbortUpload" || e.Details.Name == "AbortUnpack"
}

// exit describes how a step ended, by its output.
func (n *narrator) exit(e asl.Event) note {
	var took time.Duration
	if !n.entered.IsZero() { // or else the process that saw the step begin has ended
		took = e.Time.Sub(n.entered)
	}
	o := read(e.Details.Output)
	done := note{e.Time, e.Details.Name, "", noteDone}
	switch e.Details.Name {
	case "Launch", "FindJob":
		n.times.Launch, n.launched = took, e.Time
		if o.Job.ID != "" {
			done.text = "job " + o.Job.ID
		}
	case "Poll":
		n.pollText(&done, o)
	case "Transfer":
		n.times.Transfer += took
		done.text = transferText(o, took)
	case "Unpack":
		n.times.Unpack += took
		done.text = unpackText(o, took)
	case "AbortUpload":
		done.text = "nothing is left of the upload"
	case "AbortUnpack":
		done.text = "what was unpacked is whole; the archive is kept"
	}
	return done
}

// pollText marks a poll with the same status as the last: on a terminal the live line is enough for it.
func (n *narrator) pollText(done *note, o output) {
	n.job = jobText(o)
	done.text = n.job
	status := o.Poll.Status + " " + o.Poll.ScenarioStatus
	if status == n.status {
		done.kind = noteSame
	}
	n.status = status
}

func transferText(o output, took time.Duration) string {
	if !o.Transfer.Finished {
		return "not finished in one run of the function; the next run resumes it"
	}
	return moved(o.Transfer.Output.Entries, o.Transfer.Output.Size, took)
}

func unpackText(o output, took time.Duration) string {
	if !o.Transfer.Finished || o.Transfer.Output.Unpacked == nil {
		return "not finished in one run of the function; the next run goes on"
	}
	return moved(o.Transfer.Output.Unpacked.Objects, o.Transfer.Output.Unpacked.Bytes, took)
}

func moved(files, size int64, took time.Duration) string {
	text := fmt.Sprintf("%d files, %s", files, Bytes(size))
	if took > 0 {
		text += " in " + Duration(took)
	}
	if took >= time.Millisecond && size > 0 { // else there is no speed
		text += ", " + Bytes(int64(float64(size)/took.Seconds())) + "/s"
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
