package asl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// distributedBody is a Map state whose items are the inputs of executions of their own, its children.
type distributedBody struct {
	label    string
	items    *path // nil: the whole input
	selector template
	reader   *itemReader  // nil: the items are in the input
	batcher  *itemBatcher // nil: a child for each item
	writer   template     // of the ResultWriter; nil: none
	child    *Machine

	concurrency, percentage, count setting
}

// The resources of ItemReader and ResultWriter.
const (
	readObjectResource  = "arn:aws:states:::s3:getObject"
	listObjectsResource = "arn:aws:states:::s3:listObjectsV2"
	writeResultResource = "arn:aws:states:::s3:putObject"
)

func compileDistributed(c *compiler, f, processor *fields, items *path, selector template) body {
	b := &distributedBody{items: items, selector: selector}
	if c.nested > 0 {
		f.problem("a distributed Map within another state is not supported here: a restart could not find its children again")
	}
	f.atMostOne("ToleratedFailurePercentage", "ToleratedFailurePercentagePath")
	f.atMostOne("ToleratedFailureCount", "ToleratedFailureCountPath")
	b.label = label(f)
	b.concurrency = f.setting("MaxConcurrency", 0, maxDistributedChildren, true)
	b.percentage = f.setting("ToleratedFailurePercentage", 0, 100, false)
	b.count = f.setting("ToleratedFailureCount", 0, maxListedItems, true)
	b.reader, b.batcher, b.writer = compileReader(f), compileBatcher(f), compileWriter(f)
	c.readsObjects = c.readsObjects || b.reader != nil || b.writer != nil
	if b.reader != nil && items != nil {
		f.wrong("ItemsPath", "excludes \"ItemReader\"")
	}
	b.child = c.childMachine(processor)
	if c.children[b.label] != nil {
		f.problem("there is another distributed Map with the label %q", b.label)
	}
	c.children[b.label] = b.child
	return b
}

// childMachine compiles an ItemProcessor as the machine that it is. Its resources are the whole machine's, too.
func (c *compiler) childMachine(f *fields) *Machine {
	c.nested++ // a distributed Map within it would be nested
	defer func() { c.nested-- }()
	return &Machine{flow: c.flow(f)}
}

// maxLabelLength is how long a Label may be (AWS, "Distributed mode": 40 characters).
const maxLabelLength = 40

var plainLabel = regexp.MustCompile(`^[0-9A-Za-z_-]{1,40}$`)

// label is what the state's Map Runs are named by. Without a Label it is the state's name, or stands for it.
func label(f *fields) string {
	if f.has("Label") {
		s := f.required("Label")
		if len([]rune(s)) > maxLabelLength || strings.ContainsAny(s, " \t\r\n?*<>{}[]:;,\\|^~$#%&`\"/") {
			f.wrong("Label", "must have %d characters at most, without white space, wildcards, brackets and special characters",
				maxLabelLength)
		}
		return s
	}
	name := strings.TrimSuffix(strings.TrimPrefix(f.where, "state \""), "\"")
	if plainLabel.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

func compileWriter(f *fields) template {
	v, ok := f.take("ResultWriter")
	if !ok {
		return nil
	}
	w, ok := f.c.object(f.where+": ResultWriter", v)
	if !ok {
		return nil
	}
	defer w.done()
	if r := w.required("Resource"); r != "" && r != writeResultResource {
		w.wrong("Resource", "%q is not supported; only %s is", r, writeResultResource)
	}
	return w.parameters("Bucket", "Prefix")
}

// parameters is the template of the field Parameters; see checkParameters.
func (f *fields) parameters(required string, optional ...string) template {
	f.checkParameters(required, optional...)
	return f.template("Parameters")
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

func (b *distributedBody) run(s *step, input any) (any, error) {
	job, err := b.job(s, input)
	if err != nil {
		return nil, err
	}
	seen := s.takeMapRun()
	if seen.arn == "" {
		seen.arn = mapRunARN(s.r.info.StateMachineARN, b.label)
		err = b.begin(s, input, seen)
	}
	if err != nil {
		return nil, err
	}
	job.ARN = seen.arn
	text, err := s.r.x.MapRunner.RunMap(s.ctx, job)
	return b.ended(s, seen, text, err)
}

// mapRunARN names a new Map Run.
func mapRunARN(machineARN, label string) string {
	return strings.Replace(machineARN, ":stateMachine:", ":mapRun:", 1) + "/" + label + ":" + NewUUID()
}

func (b *distributedBody) begin(s *step, input any, seen seenMapRun) error {
	length := 0 // so AWS has it when the items are read from elsewhere
	if b.reader == nil {
		items, err := itemsAt(b.items, s, input)
		if err != nil {
			return err
		}
		length = len(items)
	}
	if !seen.events["MapStateStarted"] {
		if err := s.r.record(s.t, "MapStateStarted", Details{Length: &length}, nil); err != nil {
			return err
		}
	}
	return s.r.record(s.t, "MapRunStarted", Details{MapRunARN: seen.arn}, nil)
}

// ended records how the Map Run ended.
func (b *distributedBody) ended(s *step, seen seenMapRun, text json.RawMessage, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		return nil, s.mapAborted(err)
	}
	var result any
	if err == nil {
		result, err = decodeResult(text, s.state.name)
	}
	if err == nil {
		return result, s.recordAll(seen, "MapRunSucceeded", "MapStateSucceeded")
	}
	failure := toFailure(err)
	d := Details{Error: failure.Name, Cause: failure.Cause}
	if err := s.r.record(s.t, "MapRunFailed", d, nil); err != nil {
		return nil, err
	}
	if err := s.r.record(s.t, "MapStateFailed", Details{}, nil); err != nil {
		return nil, err
	}
	return nil, failure
}

// recordAll records the events that an earlier process has not recorded already.
func (s *step) recordAll(seen seenMapRun, kinds ...EventType) error {
	for _, kind := range kinds {
		if seen.events[kind] {
			continue
		}
		if err := s.r.record(s.t, kind, Details{}, nil); err != nil {
			return err
		}
	}
	return nil
}

// mapAborted records that a stop of the execution, or its time limit, ended the Map Run. An interruption leaves it to
// be gone on with.
func (s *step) mapAborted(err error) error {
	if s.r.interrupted() {
		return err
	}
	if failed := s.r.record(s.t, "MapRunAborted", Details{}, nil); failed != nil {
		return failed
	}
	return err
}

// seenMapRun is the Map Run that was under way when the last process ended.
type seenMapRun struct {
	arn    string // empty: none
	events map[EventType]bool
}

// takeMapRun looks for it, once: a retry of the state is a Map Run of its own.
func (s *step) takeMapRun() seenMapRun {
	seen := seenMapRun{events: map[EventType]bool{}}
	for _, e := range s.entry.events {
		switch e.Type {
		case "MapRunStarted":
			seen.arn = e.Details.MapRunARN
		case "MapRunFailed":
			seen = seenMapRun{events: map[EventType]bool{}}
			continue
		case "MapStateFailed":
			continue
		}
		seen.events[e.Type] = true
	}
	s.entry.events = nil
	return seen
}
