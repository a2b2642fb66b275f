package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// object is an object that was created, as an event has it.
type object struct {
	bucket, key string
	version     string // "" in a bucket without versions
	etag        string // without quotes
	sequencer   string // orders the events of a key
	time        string
}

// notification is an event of EventBridge.
type notification struct {
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Time       string `json:"time"`
	Detail     struct {
		ExecutionARN string `json:"executionArn"`
		Name         string `json:"name"`
		Status       string `json:"status"`
		Bucket       struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			ETag      string `json:"etag"`
			VersionID string `json:"version-id"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"detail"`
}

// happened is what an event is about: an object that was created, or an execution that ended, or neither.
type happened struct {
	object    *object
	execution *struct{ arn, name string }
}

// parse reads an event.
func parse(event []byte) (h happened, err error) {
	var n notification
	if err := json.Unmarshal(event, &n); err != nil {
		return h, fmt.Errorf("the event is not JSON as it should be: %w", err)
	}
	switch {
	case n.Source == "aws.states":
		if n.DetailType == "Step Functions Execution Status Change" && n.Detail.Status != "RUNNING" {
			h.execution = &struct{ arn, name string }{n.Detail.ExecutionARN, n.Detail.Name}
		}
		return h, nil
	case n.Source == "aws.s3":
		if o := n.Detail.Object; n.DetailType == "Object Created" { // the key is as it is: EventBridge does not encode it
			h.object = &object{n.Detail.Bucket.Name, o.Key, versionID(o.VersionID), o.ETag, o.Sequencer, n.Time}
		}
		return h, nil
	}
	return h, errors.New("the event is neither EventBridge's \"Object Created\" nor its \"Step Functions Execution Status Change\"")
}

// versionID is "" for the object of a bucket whose versioning is suspended, which has no version of its own.
func versionID(id string) string {
	if id == "null" {
		return ""
	}
	return id
}
