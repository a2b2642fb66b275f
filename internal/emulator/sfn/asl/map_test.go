package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// mapState is a Map state over the object k in the bucket b, whose children do nothing.
func mapState(fields string) string {
	return oneState(`"Type":"Map","End":true,"Label":"L",` + fields + `
		"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket.$":"$.b","Prefix":"p"}},
		"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`)
}

// collector is a MapRunner whose result are its children's inputs, and the object that they are listed in.
type collector struct {
	list string
	job  MapRun
	err  error // how each Map Run ends
}

func (c *collector) OpenObject(_ context.Context, o Object) (io.ReadCloser, string, error) {
	if o.Key != "k" {
		return nil, "", errors.New("NoSuchKey")
	}
	return io.NopCloser(strings.NewReader(c.list)), fmt.Sprint(len(c.list)), nil
}

func (c *collector) RunMap(ctx context.Context, m MapRun) (json.RawMessage, error) {
	c.job = m
	in, err := m.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer in.Close()
	all := []json.RawMessage{}
	for {
		input, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, input)
	}
	if c.err != nil {
		return nil, c.err
	}
	return json.Marshal(all)
}

func spread(t *testing.T, c *collector, definition, input string) (o outcome) {
	t.Helper()
	o.hist = &history{}
	x := &Executor{MapRunner: c, Objects: c}
	var err error
	if o.Result, err = x.Run(t.Context(), parse(t, definition), testInfo(input), nil, o.hist); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, o)
	return o
}

func TestMapItems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ list, want string }{
		{"[]", "[]"},
		{"[1.50,\n{\"b\":2,\"a\":[]}]\n", `[1.50,{"b":2,"a":[]}]`},
	} {
		if o := spread(t, &collector{list: c.list}, mapState(``), `{"b":"b"}`); o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%q: got %s %s %s", c.list, o.Output, o.Error, o.Cause)
		}
	}
	for _, c := range []struct{ list, want string }{
		{``, "must be an array"}, {`{}`, "must be an array"}, {`[1,2`, "does not end"},
		{`[1,{"a":`, "unexpected EOF"}, {`[1,{`, "unexpected EOF"}, {`[1,[2`, "unexpected EOF"}, {`[1] 2`, "something follows"}, {`[1,x]`, "invalid character"},
	} {
		wantFailure(t, spread(t, &collector{list: c.list}, mapState(``), `{"b":"b"}`), "States.ItemReaderFailed", c.want)
	}
	large := `["` + strings.Repeat("x", MaxDataSize) + `"]`
	wantFailure(t, spread(t, &collector{list: large}, mapState(``), `{"b":"b"}`), errDataLimit, "exceeds the limit of 262144")
	byPath := strings.Replace(mapState(``), `"Key":"k"`, `"Key.$":"$.k"`, 1)
	wantFailure(t, spread(t, &collector{}, byPath, `{"b":"b","k":"other"}`), "States.ItemReaderFailed", "other in the bucket b could not be opened: NoSuchKey")
	wantFailure(t, spread(t, &collector{}, byPath, `{"b":"b","k":1}`), "States.Runtime", "The parameter Key must be a string")
	wantFailure(t, spread(t, &collector{}, byPath, `{"b":"b"}`), "States.Runtime", "'$.k' specified for the field 'Key.$'")
	changed := &collector{list: "[1]"}
	spread(t, changed, mapState(``), `{"b":"b"}`)
	if _, err := changed.job.Open(t.Context(), "another"); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("another list was read: %v", err)
	}
}

func TestMapSettings(t *testing.T) {
	t.Parallel()
	const input = `{"n":7,"p":2.5,"b":"bucket"}`
	for fields, want := range map[string]string{
		``:                                 "L 10000 0 {bucket p}",
		`"MaxConcurrency":0,`:              "L 10000 0 {bucket p}",
		`"MaxConcurrency":5,`:              "L 5 0 {bucket p}",
		`"MaxConcurrencyPath":"$.n",`:      "L 7 0 {bucket p}",
		`"ToleratedFailurePercentage":10,`: "L 10000 10 {bucket p}",
		`"ToleratedFailurePercentagePath":"$.p",`: "L 10000 2.5 {bucket p}",
	} {
		c := &collector{list: "[]"}
		spread(t, c, mapState(fields), input)
		if got := fmt.Sprint(c.job.Label, " ", c.job.MaxConcurrency, " ", c.job.ToleratedPercentage, " ", c.job.Results); got != want {
			t.Errorf("%s: got %s, want %s", fields, got, want)
		}
	}
	for fields, cause := range map[string]string{
		`"MaxConcurrencyPath":"$.b",`:             "The MaxConcurrencyPath '$.b' does not reference an integer from 0 to 10000",
		`"MaxConcurrencyPath":"$.p",`:             "does not reference an integer",
		`"ToleratedFailurePercentagePath":"$.x",`: "The ToleratedFailurePercentagePath '$.x' could not be found in the input",
	} {
		wantFailure(t, spread(t, &collector{list: "[]"}, mapState(fields), input), errRuntime, cause)
	}
	for input, cause := range map[string]string{`{}`: "'$.b' specified for the field 'Bucket.$'", `{"b":1}`: "The parameter Bucket must be a string"} {
		wantFailure(t, spread(t, &collector{list: "[]"}, mapState(``), input), errRuntime, cause)
	}
}

func TestMapRunHistory(t *testing.T) {
	t.Parallel()
	o := spread(t, &collector{list: "[1,2]"}, mapState(``), `{"b":"b"}`)
	if got := o.hist.types(); got != "ExecutionStarted<0 MapStateEntered<0 MapStateStarted<2 MapRunStarted<3 MapRunSucceeded<4 MapStateSucceeded<5 MapStateExited<6 ExecutionSucceeded<7" {
		t.Errorf("got %s", got)
	}
	text, _ := json.Marshal(o.hist.events[3])
	if !strings.Contains(string(text), `"mapRunStartedEventDetails":{"mapRunArn":"arn:aws:states:us-east-1:000000000000:mapRun:m/L:`) {
		t.Errorf("got %s", text)
	}
	o = spread(t, &collector{list: "[]", err: &Error{"States.ExceedToleratedFailureThreshold", "why"}}, mapState(``), `{"b":"b"}`)
	wantFailure(t, o, "States.ExceedToleratedFailureThreshold", "why")
	text, _ = json.Marshal(o.hist.events[4])
	if !strings.Contains(string(text), `"mapRunFailedEventDetails":{"error":"States.ExceedToleratedFailureThreshold","cause":"why"}`) || o.hist.events[5].Type != "MapStateFailed" {
		t.Errorf("got %s, %s", text, o.hist.types())
	}
}

// TestMapRunResumes cuts the history after each event: the same Map Run goes on, and no event comes twice.
func TestMapRunResumes(t *testing.T) {
	t.Parallel()
	definition := mapState(``)
	whole := spread(t, &collector{list: "[1]"}, definition, `{"b":"b"}`)
	m := parse(t, definition)
	for n := 1; n < len(whole.hist.events)-2; n++ {
		c, h := &collector{list: "[1]"}, &history{events: slices.Clone(whole.hist.events[:n])}
		x := &Executor{MapRunner: c, Objects: c}
		resume := &Resume{Checkpoint: whole.hist.checkpoints[0], Events: whole.hist.events[:n]}
		r, err := x.Run(t.Context(), m, testInfo(`{"b":"b"}`), resume, h)
		if err != nil || r.Status != StatusSucceeded || h.types() != whole.hist.types() {
			t.Errorf("after %d events: %+v, %v: %s", n, r, err, h.types())
		}
		if n >= 4 && c.job.ARN != whole.hist.events[3].Details.MapRunARN {
			t.Errorf("after %d events: it began again", n)
		}
	}
	// A Map Run that had failed before a kill is over: a retry was due.
	failed := append(slices.Clone(whole.hist.events[:4]), Event{ID: 5, Type: "MapRunFailed"})
	c := &collector{list: "[1]"}
	x := &Executor{MapRunner: c, Objects: c}
	if _, err := x.Run(t.Context(), m, testInfo(`{"b":"b"}`), &Resume{Checkpoint: whole.hist.checkpoints[0], Events: failed}, &history{}); err != nil ||
		c.job.ARN == whole.hist.events[3].Details.MapRunARN || c.job.Redrive {
		t.Errorf("it went on with what had failed: %v", err)
	}
}

// TestMapRunRedriven has the Map Run fail in each way, and redrives the execution.
func TestMapRunRedriven(t *testing.T) {
	t.Parallel()
	m := parse(t, mapState(``))
	for name, c := range map[string]struct {
		err     error
		redrive bool
		events  string
	}{
		"too many failed": {&Error{Name: "States.ExceedToleratedFailureThreshold"}, true, "ExecutionRedriven MapRunRedriven MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded"},
		"too much data":   {&Error{Name: errDataLimit}, false, "ExecutionRedriven MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded"},
	} {
		run, first, second := &collector{list: "[1]", err: c.err}, &history{}, &history{}
		x, info := &Executor{MapRunner: run, Objects: run}, testInfo(`{"b":"b"}`)
		if r, err := x.Run(t.Context(), m, info, nil, first); err != nil || r.Status != StatusFailed {
			t.Fatalf("%s: got %+v, %v", name, r, err)
		}
		failed := run.job.ARN
		resume := first.resume()
		resume.Redrive, info.RedriveCount, run.err = true, 1, nil
		if r, err := x.Run(t.Context(), m, info, resume, second); err != nil || r.Status != StatusSucceeded {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
		var kinds []string
		for _, e := range second.events {
			kinds = append(kinds, string(e.Type))
		}
		if strings.Join(kinds, " ") != c.events || run.job.Redrive != c.redrive || (run.job.ARN == failed) != c.redrive {
			t.Errorf("%s: got %v, %+v", name, kinds, run.job)
		}
		if c.redrive && (second.events[1].Details.MapRunARN != failed || second.events[1].Details.RedriveCount != 1) {
			t.Errorf("%s: got %+v", name, second.events[1])
		}
	}
}

func TestMapRunAborted(t *testing.T) {
	t.Parallel()
	m := parse(t, mapState(``))
	for name, c := range map[string]struct {
		cause  error
		status Status
		last   string
	}{
		"stopped":     {&Stop{Name: "E"}, StatusAborted, "MapRunAborted<4 ExecutionAborted<0"},
		"interrupted": {errors.New("closed"), "", "MapRunStarted<3"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		run := mapRunnerFunc(func(ctx context.Context, _ MapRun) (json.RawMessage, error) {
			cancel(c.cause)
			return nil, ctx.Err()
		})
		h := &history{}
		r, err := (&Executor{MapRunner: run, Objects: &collector{}}).Run(ctx, m, testInfo(`{"b":"b"}`), nil, h)
		if r.Status != c.status || !strings.HasSuffix(h.types(), c.last) || (c.status == "") != errors.Is(err, ErrInterrupted) {
			t.Errorf("%s: got %+v, %v, %s", name, r, err, h.types())
		}
	}
}

type mapRunnerFunc func(ctx context.Context, m MapRun) (json.RawMessage, error)

func (f mapRunnerFunc) RunMap(ctx context.Context, m MapRun) (json.RawMessage, error) {
	return f(ctx, m)
}
