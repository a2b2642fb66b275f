package asl

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Event is one entry of an execution's history, by the names and in the JSON form of the GetExecutionHistory API.
type Event struct {
	ID         int64
	PreviousID int64
	Time       time.Time // in milliseconds
	Type       EventType
	Details    Details
}

// EventType is one of the HistoryEventType values of the API.
type EventType string

// Details holds what an event has beside its type; which fields are set depends on the type.
type Details struct {
	Name         string `json:"name,omitempty"`
	Input        string `json:"input,omitempty"`  // JSON text
	Output       string `json:"output,omitempty"` // JSON text
	Error        string `json:"error,omitempty"`
	Cause        string `json:"cause,omitempty"`
	ResourceType string `json:"resourceType,omitempty"` // "lambda"
	Resource     string `json:"resource,omitempty"`     // "invoke"
	Region       string `json:"region,omitempty"`
	Parameters   string `json:"parameters,omitempty"` // JSON text
	RoleARN      string `json:"roleArn,omitempty"`
	Timeout      int64  `json:"timeoutInSeconds,omitempty"`
	Length       *int   `json:"length,omitempty"`
	MapRunARN    string `json:"mapRunArn,omitempty"`
	RedriveCount int    `json:"redriveCount,omitempty"`
}

// apiDetails are Details with what the API adds: whether data is cut, which it never is here.
type apiDetails struct {
	Details
	InputDetails  *dataDetails `json:"inputDetails,omitempty"`
	OutputDetails *dataDetails `json:"outputDetails,omitempty"`
}

type dataDetails struct {
	Truncated bool `json:"truncated"`
}

// WithoutData is the event without the data that went through it (includeExecutionData false).
func (e Event) WithoutData() Event {
	e.Details.Input, e.Details.Output, e.Details.Parameters = "", "", ""
	return e
}

// detailsField is the member of the JSON form that holds the event's details; empty: the type has none.
func (t EventType) detailsField() string {
	name := string(t)
	switch {
	case strings.HasSuffix(name, "StateEntered"):
		return "stateEnteredEventDetails"
	case strings.HasSuffix(name, "StateExited"):
		return "stateExitedEventDetails"
	case name == "MapStateStarted", name == "MapRunStarted", name == "MapRunFailed", name == "MapRunRedriven":
		return "m" + name[1:] + "EventDetails"
	case strings.HasPrefix(name, "Execution"), strings.HasPrefix(name, "Task"):
		return strings.ToLower(name[:1]) + name[1:] + "EventDetails"
	}
	return ""
}

// epoch is t as the API's timestamps: seconds with milliseconds.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// MarshalJSON is the form of the GetExecutionHistory API.
func (e Event) MarshalJSON() ([]byte, error) {
	m := map[string]any{
		"id": e.ID, "previousEventId": e.PreviousID, "timestamp": epoch(e.Time), "type": e.Type,
	}
	if field := e.Type.detailsField(); field != "" {
		d := apiDetails{Details: e.Details}
		if d.Input != "" {
			d.InputDetails = &dataDetails{}
		}
		if d.Output != "" {
			d.OutputDetails = &dataDetails{}
		}
		m[field] = d
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Event) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	var seconds float64
	for name, into := range map[string]any{
		"id": &e.ID, "previousEventId": &e.PreviousID, "timestamp": &seconds, "type": &e.Type,
	} {
		if err := json.Unmarshal(m[name], into); err != nil {
			return err
		}
	}
	e.Time = time.UnixMilli(int64(math.Round(seconds * 1000)))
	if d, ok := m[e.Type.detailsField()]; ok {
		if err := json.Unmarshal(d, &e.Details); err != nil {
			return err
		}
	}
	return nil
}
