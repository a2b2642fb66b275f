package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// client asks a system that is up.
type client struct {
	http               *http.Client
	sfn                *sfn.Client
	stepFunctions, api string // addresses
}

func newClient(stepFunctions, api string) *client {
	c := &client{&http.Client{Timeout: 10 * time.Second}, nil, stepFunctions, strings.TrimSuffix(api, "/")}
	c.sfn = sfn.New(sfn.Options{
		BaseEndpoint: &stepFunctions, Region: emulator.Region, HTTPClient: c.http,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), // nobody checks them
	})
	return c
}

func (c *client) describe(ctx context.Context, arn string) (*sfn.DescribeExecutionOutput, error) {
	d, err := c.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	return d, c.readable(err)
}

// askEvery is how often a system that is up is asked how far it is.
const askEvery = 300 * time.Millisecond

// await gives the execution when it has ended. It calls each after every look at it, the last one included.
func (c *client) await(ctx context.Context, arn string, each func() error) (*sfn.DescribeExecutionOutput, error) {
	for {
		e, err := c.describe(ctx, arn)
		if err == nil {
			err = each()
		}
		if err != nil || e.Status != types.ExecutionStatusRunning {
			return e, err
		}
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// readable is the error as a person should read it.
func (c *client) readable(err error) error {
	var refused smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return errors.New(refused.ErrorMessage())
	}
	return noAnswer(c.stepFunctions)
}

func noAnswer(address string) error {
	host := address
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	return errors.New("the system that is up does not answer at " + host)
}

// history reads the events of an execution, each once.
type history struct {
	client *client
	arn    string
	last   int64  // the event that was read last
	state  string // that was entered last
}

// read calls event with each event that has come since the last call.
func (h *history) read(ctx context.Context, event func(asl.Event)) error {
	pages := sfn.NewGetExecutionHistoryPaginator(h.client.sfn, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &h.arn, MaxResults: 1000, IncludeExecutionData: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return h.client.readable(err)
		}
		for _, e := range page.Events {
			if e.Id <= h.last {
				continue
			}
			h.last = e.Id
			if d := e.StateEnteredEventDetails; d != nil {
				h.state = aws.ToString(d.Name)
			}
			shown, err := eventOf(e)
			if err != nil {
				return err
			}
			event(shown)
		}
	}
	return nil
}

// eventOf is an event in the form in which the display takes it. Of its details, all but one are nil.
func eventOf(e types.HistoryEvent) (asl.Event, error) {
	out := asl.Event{ID: e.Id, PreviousID: e.PreviousEventId, Time: aws.ToTime(e.Timestamp), Type: asl.EventType(e.Type)}
	text, err := json.Marshal(e)
	var all map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	for name, details := range all {
		if err == nil && strings.HasSuffix(name, "EventDetails") {
			err = json.Unmarshal(details, &out.Details)
		}
	}
	return out, err
}

// moved asks how far a transfer is.
func (c *client) moved(ctx context.Context, name string) (m system.Moved, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+system.ProgressPath+url.PathEscape(name), nil)
	if err != nil {
		return m, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return m, noAnswer(c.api)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return m, fmt.Errorf("%s answers with status %d", r.URL.Host, resp.StatusCode)
	}
	return m, json.NewDecoder(resp.Body).Decode(&m)
}
