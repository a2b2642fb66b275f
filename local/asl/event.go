package asl

import "time"

// Event is one entry of an execution's history, by the names and in the JSON form of the GetExecutionHistory API.
type Event struct {
	ID         int64
	PreviousID int64
	Time       time.Time
	Type       EventType
	Details    Details
}

// EventType is one of the HistoryEventType values of the API.
type EventType string

// Details holds what an event tells beside its type; which fields are set depends on the type.
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
	Heartbeat    int64  `json:"heartbeatInSeconds,omitempty"`
	Index        *int   `json:"index,omitempty"`
	Length       *int   `json:"length,omitempty"`
}
