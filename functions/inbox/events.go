package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// object is an object that was created, as an event has it.
type object struct {
	bucket, key string
	version     string // "" in a bucket without versions
	etag        string // without quotes
	sequencer   string // orders the events of a key
	time        string
}

// notification is an event in any form: S3's own, or one of EventBridge's.
type notification struct {
	Records []struct {
		EventSource string `json:"eventSource"`
		EventName   string `json:"eventName"`
		EventTime   string `json:"eventTime"`
		S3          struct {
			Bucket struct {
				Name string `json:"name"`
			} `json:"bucket"`
			Object struct {
				Key       string `json:"key"`
				ETag      string `json:"eTag"`
				VersionID string `json:"versionId"`
				Sequencer string `json:"sequencer"`
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
	TestEvent string `json:"Event"` // S3 sends one when a notification is set up

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

// happened is what an event is about: objects that were created, or an execution that ended.
type happened struct {
	objects   []object
	execution *struct{ arn, name string }
}

// parse reads an event. The objects that can be read come with an error about the others.
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
		h.objects = n.fromEventBridge()
		return h, nil
	case n.Records != nil:
		h.objects, err = n.fromS3()
		return h, err
	case n.TestEvent == "s3:TestEvent":
		return h, nil
	}
	return h, fmt.Errorf("the event is neither an S3 notification, nor EventBridge's \"Object Created\" or \"Step Functions " +
		"Execution Status Change\"")
}

func (n notification) fromEventBridge() []object {
	if n.DetailType != "Object Created" {
		return nil
	}
	o := n.Detail.Object // the key is as it is: EventBridge does not encode it
	return []object{{n.Detail.Bucket.Name, o.Key, versionID(o.VersionID), o.ETag, o.Sequencer, n.Time}}
}

// fromS3 decodes the keys: S3 encodes them as in a query, with + for a space ("Event message structure").
func (n notification) fromS3() (found []object, failed error) {
	for _, r := range n.Records {
		if r.EventSource != "aws:s3" || !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			failed = fmt.Errorf("a key in the event is not encoded as S3 does it: %w", err)
			continue
		}
		o := r.S3.Object
		found = append(found, object{r.S3.Bucket.Name, key, versionID(o.VersionID), o.ETag, o.Sequencer, r.EventTime})
	}
	return found, failed
}

// versionID is "" for the object of a bucket whose versioning is suspended, which has no version of its own.
func versionID(id string) string {
	if id == "null" {
		return ""
	}
	return id
}
