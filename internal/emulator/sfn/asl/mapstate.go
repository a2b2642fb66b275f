package asl

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// mapBody is a distributed Map state: its items are the inputs of executions of their own, its children.
type mapBody struct {
	label  string
	reader *itemReader
	writer template // of the ResultWriter
	child  *Machine

	concurrency, percentage setting
}

// The resources of ItemReader and ResultWriter.
const (
	readObjectResource  = "arn:aws:states:::s3:getObject"
	writeResultResource = "arn:aws:states:::s3:putObject"
)

// maxChildren is how many children of a Map Run run at once at most (AWS: 10,000).
const maxChildren = 10_000

// maxLabelLength is how long a Label may be (AWS, "Distributed mode": 40 characters).
const maxLabelLength = 40

func compileMap(c *compiler, f *fields) body {
	b := &mapBody{label: f.required("Label")}
	if len([]rune(b.label)) > maxLabelLength || strings.ContainsAny(b.label, " \t\r\n?*<>{}[]:;,\\|^~$#%&`\"/") {
		f.wrong("Label", "must have %d characters at most, without white space, wildcards, brackets and special characters",
			maxLabelLength)
	}
	b.concurrency = f.setting("MaxConcurrency", 0, maxChildren, true)
	b.percentage = f.setting("ToleratedFailurePercentage", 0, 100, false)
	b.reader, b.writer, b.child = compileReader(f), compileWriter(f), c.child(f)
	if c.inMap {
		f.problem("a Map state within a Map state is not supported: a restart could not find its children again")
	}
	if c.children[b.label] != nil {
		f.problem("there is another Map state with the label %q", b.label)
	}
	c.children[b.label] = b.child
	return b
}

// child compiles an ItemProcessor as the machine that it is. Its resources are the whole machine's, too.
func (c *compiler) child(f *fields) *Machine {
	p, ok := f.sub("ItemProcessor")
	if !ok {
		return nil
	}
	defer p.done()
	p.text("Comment")
	if config, ok := p.sub("ProcessorConfig"); ok {
		config.must("Mode", "DISTRIBUTED")
		config.must("ExecutionType", "STANDARD")
		config.done()
	}
	outer := c.inMap
	c.inMap = true
	defer func() { c.inMap = outer }()
	return &Machine{flow: c.flow(p)}
}

func compileWriter(f *fields) template {
	w, ok := f.sub("ResultWriter")
	if !ok {
		return nil
	}
	defer w.done()
	w.must("Resource", writeResultResource)
	w.checkParameters("Bucket", "Prefix")
	return w.template("Parameters")
}

// sub is a member that must be there and be an object.
func (f *fields) sub(name string) (*fields, bool) {
	v, ok := f.take(name)
	if !ok {
		f.wrong(name, "is missing")
		return nil, false
	}
	return f.c.object(f.where+": "+name, v)
}

// must reports unless the member is this text.
func (f *fields) must(name, text string) {
	if s := f.required(name); s != "" && s != text {
		f.wrong(name, "%q is not supported; %q is", s, text)
	}
}

// checkParameters wants the field Parameters to be an object that has the first name, and no others than these.
func (f *fields) checkParameters(required string, optional ...string) {
	v, _ := f.take("Parameters")
	o, isObject := v.(*object)
	if !isObject {
		f.wrong("Parameters", "is missing: %s is needed", required)
		return
	}
	found := false
	for _, name := range o.names {
		plain := strings.TrimSuffix(name, ".$")
		found = found || plain == required
		if plain != required && !slices.Contains(optional, plain) {
			f.wrong("Parameters", "the parameter %q is not supported", name)
		}
	}
	if !found {
		f.wrong("Parameters", "%s is missing", required)
	}
}

func (b *mapBody) run(s *step, input any) (any, error) {
	job, err := b.job(s, input)
	if err != nil {
		return nil, err
	}
	seen := s.takeMapRun()
	switch {
	case seen.arn == "":
		seen.arn = mapRunARN(s.r.info.StateMachineARN, b.label)
		err = b.begin(s, seen)
	case seen.redrive:
		err = s.r.record("MapRunRedriven", Details{MapRunARN: seen.arn, RedriveCount: s.r.info.RedriveCount}, nil)
	}
	if err != nil {
		return nil, err
	}
	job.ARN, job.Redrive = seen.arn, seen.redrive
	text, err := s.r.x.MapRunner.RunMap(s.ctx, job)
	return b.ended(s, seen, text, err)
}

// mapRunARN names a new Map Run.
func mapRunARN(machineARN, label string) string {
	return strings.Replace(machineARN, ":stateMachine:", ":mapRun:", 1) + "/" + label + ":" + NewUUID()
}

func (b *mapBody) begin(s *step, seen seenMapRun) error {
	if !seen.events["MapStateStarted"] {
		length := 0 // so AWS has it when the items are read from elsewhere
		if err := s.r.record("MapStateStarted", Details{Length: &length}, nil); err != nil {
			return err
		}
	}
	return s.r.record("MapRunStarted", Details{MapRunARN: seen.arn}, nil)
}

// ended records how the Map Run ended.
func (b *mapBody) ended(s *step, seen seenMapRun, text json.RawMessage, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		return nil, s.mapAborted(err)
	}
	var result any
	if err == nil {
		result, err = decodeResult(text, s.state.name)
	}
	kinds, d := []EventType{"MapRunSucceeded", "MapStateSucceeded"}, Details{}
	var failure *Error
	if err != nil {
		failure = toFailure(err)
		kinds, d = []EventType{"MapRunFailed", "MapStateFailed"}, Details{Error: failure.Name, Cause: failure.Cause}
	}
	for _, kind := range kinds {
		if failure == nil && seen.events[kind] { // an earlier process has recorded it
			continue
		}
		if err := s.r.record(kind, d, nil); err != nil {
			return nil, err
		}
		d = Details{}
	}
	if failure != nil {
		return nil, failure
	}
	return result, nil
}

// mapAborted records that a stop of the execution, or its time limit, ended the Map Run. An interruption leaves it to
// be continued.
func (s *step) mapAborted(err error) error {
	if s.r.interrupted() {
		return err
	}
	if failed := s.r.record("MapRunAborted", Details{}, nil); failed != nil {
		return failed
	}
	return err
}

// job evaluates the state's fields on its input.
func (b *mapBody) job(s *step, input any) (MapRun, error) {
	job := MapRun{Label: b.label, Execution: s.r.info, Machine: b.child}
	most, err := b.concurrency.at(s)
	if err != nil {
		return job, err
	}
	if job.MaxConcurrency = int(most); most == 0 {
		job.MaxConcurrency = maxChildren
	}
	if job.ToleratedPercentage, err = b.percentage.at(s); err != nil {
		return job, err
	}
	v, err := b.writer.fill(s.scope(input))
	if err != nil {
		return job, err
	}
	if err := textsAt(v, map[string]*string{"Bucket": &job.Results.Bucket, "Prefix": &job.Results.Prefix}); err != nil {
		return job, err
	}
	list, err := b.reader.list(s, input)
	job.Open = func(ctx context.Context, pinned string) (*ChildInputs, error) { return list.open(ctx, pinned) }
	return job, err
}
