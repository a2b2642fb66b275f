package asl

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"unicode/utf8"
)

// MapRunner has the children of Map states run. The result is the state's result before ResultSelector. A failure of the
// Map Run is an [*Error]; what it returns when ctx has ended does not count. RunMap is called again with the same ARN
// when the Map Run was interrupted, or is redriven.
type MapRunner interface {
	RunMap(ctx context.Context, m MapRun) (json.RawMessage, error)
}

// MapRun is what a MapRunner is asked to do.
type MapRun struct {
	ARN, Label string
	Execution  ExecutionInfo // whose state it is
	Machine    *Machine      // of the children
	Redrive    bool          // the Map Run ended without success: redrive it

	MaxConcurrency      int     // children at once
	ToleratedPercentage float64 // of the items that may fail

	// Open begins to read the children's inputs. pinned is what ETag gave the first time, empty the first time.
	Open    func(ctx context.Context, pinned string) (*ChildInputs, error)
	Results Place // where the children's results are written
}

// Place is where a ResultWriter writes: objects whose keys start with Prefix.
type Place struct{ Bucket, Prefix string }

// maxChildren is how many children of a Map Run run at once at most (AWS: 10,000).
const maxChildren = 10_000

var (
	maxConcurrency      = setting{"MaxConcurrency", maxChildren, true}
	toleratedPercentage = setting{"ToleratedFailurePercentage", 100, false}
)

// maxLabelLength is how long a Label may be (AWS, "Distributed mode": 40 characters).
const maxLabelLength = 40

func (s *state) checkMap() error {
	problems := []error{
		maxConcurrency.check(s.MaxConcurrency, s.MaxConcurrencyPath),
		toleratedPercentage.check(s.ToleratedFailurePercentage, s.ToleratedFailurePercentagePath),
		within("ItemReader", s.ItemReader.check("s3:getObject", map[string]string{"InputType": "JSON"}, "Key")),
		within("ResultWriter", s.ResultWriter.check("s3:putObject", nil, "Prefix")),
		within("ItemProcessor", s.ItemProcessor.check()),
	}
	if s.Label == "" || utf8.RuneCountInString(s.Label) > maxLabelLength ||
		strings.ContainsAny(s.Label, " \t\r\n?*<>{}[]:;,\\|^~$#%&`\"/") {
		problems = append(problems, wrong("Label",
			"must be there, with %d characters at most, and without white space, wildcards, brackets and special characters",
			maxLabelLength))
	}
	return errors.Join(problems...)
}

func (a *objectAccess) check(resource string, config map[string]string, parameter string) error {
	err := a.Parameters.checkNames("Bucket", parameter)
	if want := "arn:aws:states:::" + resource; a.Resource != want {
		err = errors.Join(err, wrong("Resource", "%q is not supported; %q is", a.Resource, want))
	}
	if !maps.Equal(a.ReaderConfig, config) {
		err = errors.Join(err, wrong("ReaderConfig", "%q is not supported; %q is", a.ReaderConfig, config))
	}
	return err
}

func (p *processor) check() error {
	err := p.parse()
	want := map[string]string{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
	if !maps.Equal(p.ProcessorConfig, want) {
		err = errors.Join(err, wrong("ProcessorConfig", "%q is not supported; %q is", p.ProcessorConfig, want))
	}
	for _, s := range p.states {
		if s.Type == "Map" {
			err = errors.Join(err, errors.New(
				"a Map state within a Map state is not supported: a restart could not find its children again"))
		}
	}
	return err
}

func (s *step) runMap(input any) (any, error) {
	job, err := s.mapRun(input)
	if err != nil {
		return nil, err
	}
	seen := s.takeMapRun()
	switch {
	case seen.arn == "":
		seen.arn = mapRunARN(s.r.info.StateMachineARN, s.Label)
		err = s.beginMap(seen)
	case seen.redrive:
		err = s.r.record("MapRunRedriven", Details{MapRunARN: seen.arn, RedriveCount: s.r.info.RedriveCount}, nil)
	}
	if err != nil {
		return nil, err
	}
	job.ARN, job.Redrive = seen.arn, seen.redrive
	text, err := s.r.x.MapRunner.RunMap(s.ctx, job)
	return s.endMap(seen, text, err)
}

// mapRunARN names a new Map Run.
func mapRunARN(machineARN, label string) string {
	return strings.Replace(machineARN, ":stateMachine:", ":mapRun:", 1) + "/" + label + ":" + NewUUID()
}

func (s *step) beginMap(seen seenMapRun) error {
	if !seen.events["MapStateStarted"] {
		length := 0 // so AWS has it when the items are read from elsewhere
		if err := s.r.record("MapStateStarted", Details{Length: &length}, nil); err != nil {
			return err
		}
	}
	return s.r.record("MapRunStarted", Details{MapRunARN: seen.arn}, nil)
}

// endMap records how the Map Run ended. An interruption of the execution leaves it to be continued.
func (s *step) endMap(seen seenMapRun, text json.RawMessage, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		if s.r.interrupted() {
			return nil, err
		}
		return nil, errors.Join(s.r.record("MapRunAborted", Details{}, nil), err)
	}
	var result any
	if err == nil {
		result, err = decodeResult(text, s.state.name)
	}
	if err != nil {
		failure := toFailure(err)
		err := s.r.record("MapRunFailed", Details{Error: failure.Name, Cause: failure.Cause}, nil)
		if err == nil {
			err = s.r.record("MapStateFailed", Details{}, nil)
		}
		if err != nil {
			return nil, err
		}
		return nil, failure
	}
	for _, kind := range []EventType{"MapRunSucceeded", "MapStateSucceeded"} {
		if seen.events[kind] { // an earlier process has recorded it
			continue
		}
		if err := s.r.record(kind, Details{}, nil); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// mapRun evaluates the state's fields on its input.
func (s *step) mapRun(input any) (MapRun, error) {
	job := MapRun{Label: s.Label, Execution: s.r.info, Machine: s.child()}
	most, err := maxConcurrency.at(s, s.MaxConcurrency, s.MaxConcurrencyPath)
	if err != nil {
		return job, err
	}
	if job.MaxConcurrency = int(most); most == 0 {
		job.MaxConcurrency = maxChildren
	}
	job.ToleratedPercentage, err = toleratedPercentage.at(s, s.ToleratedFailurePercentage, s.ToleratedFailurePercentagePath)
	if err != nil {
		return job, err
	}
	if job.Results.Bucket, job.Results.Prefix, err = s.ResultWriter.texts(s.scope(input), "Prefix"); err != nil {
		return job, err
	}
	var list Object
	list.Bucket, list.Key, err = s.ItemReader.texts(s.scope(input), "Key")
	job.Open = func(ctx context.Context, pinned string) (*ChildInputs, error) {
		return openItems(ctx, s.r.x.Objects, list, pinned)
	}
	return job, err
}

// texts are the parameters Bucket and the other one, each empty when it is not there.
func (a *objectAccess) texts(e *scope, parameter string) (bucket, value string, err error) {
	v, err := a.Parameters.fill(e)
	if err != nil {
		return "", "", err
	}
	for name, into := range map[string]*string{"Bucket": &bucket, parameter: &value} {
		found, ok := v.(*object).get(name)
		if text, _ := found.(string); text != "" {
			*into = text
		} else if ok {
			return "", "", runtimeError("The parameter %s must be a string that is not empty", name)
		}
	}
	return bucket, value, nil
}
