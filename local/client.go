package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// client asks a system that is up, by HTTP.
type client struct {
	http               *http.Client
	stepFunctions, api string
}

func newClient(stepFunctions, api string) *client {
	return &client{&http.Client{Timeout: 10 * time.Second}, stepFunctions, strings.TrimSuffix(api, "/")}
}

// described is an execution as DescribeExecution tells of it.
type described struct {
	Status, Output, Error, Cause string
	StartDate, StopDate          float64 // seconds
}

func (d described) began() time.Time { return time.UnixMilli(int64(d.StartDate * 1000)) }

func (d described) took() time.Duration {
	return time.Duration((d.StopDate - d.StartDate) * float64(time.Second)).Round(time.Millisecond)
}

func (c *client) describe(ctx context.Context, arn string) (d described, err error) {
	return d, c.call(ctx, "DescribeExecution", map[string]any{"executionArn": arn}, &d)
}

// history reads the events of an execution, each once.
type history struct {
	client *client
	arn    string
	last   int64  // the event that was told last
	state  string // that was entered last
}

func (h *history) tell(ctx context.Context, event func(asl.Event)) error {
	in := map[string]any{"executionArn": h.arn, "maxResults": 1000}
	for {
		var out struct {
			Events    []asl.Event
			NextToken string
		}
		if err := h.client.call(ctx, "GetExecutionHistory", in, &out); err != nil {
			return err
		}
		for _, e := range out.Events {
			if e.ID <= h.last {
				continue
			}
			h.last = e.ID
			if strings.HasSuffix(string(e.Type), "StateEntered") {
				h.state = e.Details.Name
			}
			event(e)
		}
		if out.NextToken == "" {
			return nil
		}
		in["nextToken"] = out.NextToken
	}
}

// call sends one request of the AWS JSON 1.0 protocol; the endpoint of this machine looks at no signature.
func (c *client) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.stepFunctions, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	return c.do(r, out)
}

// moved asks how far a transfer is.
func (c *client) moved(ctx context.Context, name string) (m system.Moved, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+system.ProgressPath+url.PathEscape(name), nil)
	if err != nil {
		return m, err
	}
	return m, c.do(r, &m)
}

func (c *client) do(r *http.Request, out any) error {
	resp, err := c.http.Do(r)
	if err != nil {
		return errors.New("the system that is up does not answer at " + r.URL.Host)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var refused struct{ Message string }
		if json.Unmarshal(text, &refused) == nil && refused.Message != "" {
			return errors.New(refused.Message)
		}
		return fmt.Errorf("%s answers with status %d", r.URL.Host, resp.StatusCode)
	}
	return json.Unmarshal(text, out)
}
