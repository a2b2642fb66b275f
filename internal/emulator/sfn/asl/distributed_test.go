package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// collector is a MapRunner and an ObjectReader: it reads all inputs of the children and gives them as the result.
type collector struct {
	list   string
	job    MapRun
	items  []int
	result string // instead of the inputs
	err    error
}

func (c *collector) OpenObject(_ context.Context, o Object) (io.ReadCloser, string, error) {
	if o != (Object{"b", "k", ""}) && o.VersionID != "v" {
		return nil, "", fmt.Errorf("there is no %+v", o)
	}
	return io.NopCloser(strings.NewReader(c.list)), "etag", nil
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
		one, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all, c.items = append(all, one.Input), append(c.items, one.Items)
	}
	if c.err != nil || c.result != "" {
		return json.RawMessage(c.result), c.err
	}
	return json.Marshal(all)
}

const itemProcessor = `"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`

func distributed(fields string) string {
	return oneState(`"Type":"Map","End":true,` + fields + itemProcessor)
}

// spread executes a machine with distributed Map states.
func spread(t *testing.T, c *collector, definition, input string) outcome {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("%v in %s", err, definition)
	}
	o := outcome{clock: newFakeClock(), hist: &history{}}
	x := &Executor{Clock: o.clock, MapRunner: c, Objects: c}
	if err := x.Check(m); err != nil {
		t.Fatal(err)
	}
	if o.Result, err = x.Run(t.Context(), m, testInfo(input), nil, o.hist); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, o)
	return o
}

func reader(config string) string {
	return `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{` + config + `},"Parameters":{"Bucket":"b","Key":"k"}},`
}

func TestItemReader(t *testing.T) {
	t.Parallel()
	const first, given = `"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"`, `"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["x","y"]`
	for name, c := range map[string]struct{ config, list, want string }{
		"JSON":                   {`"InputType":"JSON"`, ` [1, {"a": 1.10}, "x"] `, `[1,{"a":1.10},"x"]`},
		"JSON empty":             {`"InputType":"JSON"`, `[]`, `[]`},
		"JSON with a mark":       {`"InputType":"JSON"`, "\ufeff[1]", `[1]`},
		"JSON Lines":             {`"InputType":"JSONL"`, "1\n\n {\"a\":[]} \r\n\"x\"", `[1,{"a":[]},"x"]`},
		"JSON Lines empty":       {`"InputType":"JSONL"`, "", `[]`},
		"CSV":                    {first, "id,name\n1,\"a,\"\"b\"\"\"\n\n2,é\r\n", `[{"id":"1","name":"a,\"b\""},{"id":"2","name":"é"}]`},
		"CSV headers alone":      {first, "id\n", `[]`},
		"CSV fewer fields":       {first, "id,name\n1\n", `[{"id":"1","name":""}]`},
		"CSV more fields":        {first, "id\n1,2\n", `[{"id":"1"}]`},
		"CSV with a mark":        {first, "\ufeffid\n1\n", `[{"id":"1"}]`},
		"CSV given headers":      {given, "1,2\n", `[{"x":"1","y":"2"}]`},
		"CSV other delimiter":    {given + `,"CSVDelimiter":"TAB"`, "1\t2,3\n", `[{"x":"1","y":"2,3"}]`},
		"MaxItems":               {`"InputType":"JSONL","MaxItems":2`, "1\n2\n3\n", `[1,2]`},
		"MaxItems does not read": {`"InputType":"JSONL","MaxItems":1`, "1\n{", `[1]`},
		"MaxItemsPath":           {`"InputType":"JSON","MaxItemsPath":"$.n"`, "[1,2,3]", `[1]`},
		"MaxItems 0: all":        {`"InputType":"JSON","MaxItems":0`, "[1,2,3]", `[1,2,3]`},
	} {
		o := spread(t, &collector{list: c.list}, distributed(reader(c.config)), `{"n":1}`)
		if o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s\nwant %s", name, o.Output, o.Error, o.Cause, c.want)
		}
	}
	for _, c := range map[string]struct{ config, list, want string }{
		"JSON empty":           {`"InputType":"JSON"`, ``, "it is empty"},
		"JSON noise":           {`"InputType":"JSON"`, `x`, "invalid character"},
		"JSON object":          {`"InputType":"JSON"`, `{}`, "must be an array"},
		"JSON torn":            {`"InputType":"JSON"`, `[1,2`, "unexpected EOF"},
		"JSON torn in an item": {`"InputType":"JSON"`, `[1,{"a":`, "unexpected EOF"},
		"JSON and more":        {`"InputType":"JSON"`, `[1] 2`, "something follows"},
		"JSON Lines noise":     {`"InputType":"JSONL"`, "1\nx\n", "line 2: "},
		"JSON Lines two":       {`"InputType":"JSONL"`, "1 2\n", "line 1: more than one"},
		"JSON Lines too long":  {`"InputType":"JSONL"`, `"` + strings.Repeat("x", maxLine), "token too long"},
		"CSV empty":            {first, "", "no row of headers"},
		"CSV headers twice":    {first, "a,a\n", `"a" is there twice`},
		"CSV headers too long": {first, strings.Repeat("x", maxHeadersBytes+1) + "\n", "more than 10240 bytes"},
		"CSV quotes":           {first, "a\n\"x\n", "quote"},
		"CSV headers' quotes":  {first, "\"a\n", "quote"},
	} {
		wantFailure(t, spread(t, &collector{list: c.list}, distributed(reader(c.config)), `{}`), "States.ItemReaderFailed", c.want)
	}
	missing := strings.Replace(distributed(reader(`"InputType":"JSON"`)), `"Key":"k"`, `"Key.$":"$.k"`, 1)
	wantFailure(t, spread(t, &collector{}, missing, `{"k":"other"}`), "States.ItemReaderFailed", "other in the bucket b could not be opened")
	wantFailure(t, spread(t, &collector{}, missing, `{"k":1}`), "States.Runtime", "The parameter Key must be a string")
	version := strings.Replace(missing, `"Key.$"`, `"VersionId":"v","Key.$"`, 1)
	wantOutput(t, spread(t, &collector{list: "[1]"}, version, `{"k":"other"}`), `[1]`)
}

func TestItemBatcher(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fields, input, want string }{
		"an item each":      {``, `[1,2]`, `[1,2]`},
		"exactly":           {`"ItemBatcher":{"MaxItemsPerBatch":2},`, `[1,2,3,4]`, `[{"Items":[1,2]},{"Items":[3,4]}]`},
		"one left":          {`"ItemBatcher":{"MaxItemsPerBatch":2},`, `[1,2,3]`, `[{"Items":[1,2]},{"Items":[3]}]`},
		"none":              {`"ItemBatcher":{"MaxItemsPerBatch":2},`, `[]`, `[]`},
		"BatchInput":        {`"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"n.$":"States.ArrayLength($)"}},`, `[1]`, `[{"BatchInput":{"n":1},"Items":[1]}]`},
		"bytes":             {`"ItemBatcher":{"MaxInputBytesPerBatch":16},`, `[1,22,3]`, `[{"Items":[1,22]},{"Items":[3]}]`},
		"one byte less":     {`"ItemBatcher":{"MaxInputBytesPerBatch":15},`, `[1,22,3]`, `[{"Items":[1]},{"Items":[22]},{"Items":[3]}]`},
		"both, items first": {`"ItemBatcher":{"MaxInputBytesPerBatch":100,"MaxItemsPerBatch":1},`, `[1,2]`, `[{"Items":[1]},{"Items":[2]}]`},
		"ItemSelector":      {`"ItemSelector":{"v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","n.$":"$[0]"},`, `[5,6]`, `[{"v":5,"i":0,"n":5},{"v":6,"i":1,"n":5}]`},
		"selected, in batches": {`"ItemSelector":{"v.$":"$$.Map.Item.Value"},"ItemBatcher":{"MaxItemsPerBatch":5},`, `[5,6]`,
			`[{"Items":[{"v":5},{"v":6}]}]`},
	} {
		o := spread(t, &collector{}, distributed(c.fields), c.input)
		if o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s\nwant %s", name, o.Output, o.Error, o.Cause, c.want)
		}
	}
	c := &collector{result: "[]"}
	spread(t, c, distributed(`"ItemsPath":"$.l","ItemBatcher":{"MaxItemsPerBatchPath":"$.n"},`), `{"n":2,"l":[1,2,3]}`)
	if fmt.Sprint(c.items) != "[2 1]" {
		t.Errorf("got %v", c.items)
	}
	// What is too large for a child ends the Map Run.
	large := strings.Repeat(`,"`+strings.Repeat("x", 100_000)+`"`, 2)
	for fields, cause := range map[string]string{
		`"ItemBatcher":{"MaxInputBytesPerBatch":12},`:                         "exceeds the limit of 12",
		`"ItemBatcher":{"MaxItemsPerBatch":100,"BatchInput":{"a.$":"$[1]"}},`: "exceeds the limit of 262144",
		`"ItemSelector":{"a.$":"$[1]","b.$":"$[1]","c.$":"$[2]"},`:            "exceeds the limit of 262144",
	} {
		wantFailure(t, spread(t, &collector{}, distributed(fields), `["x"`+large+`]`), errDataLimit, cause)
	}
}

func TestMapRunSettings(t *testing.T) {
	t.Parallel()
	const input = `{"l":[],"n":7,"p":2.5,"b":"bucket"}`
	writer := `"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket.$":"$.b","Prefix":"p"}},`
	show := func(m MapRun) string {
		count, percentage, place := "-", "-", "-"
		if m.ToleratedCount != nil {
			count = fmt.Sprint(*m.ToleratedCount)
		}
		if m.ToleratedPercentage != nil {
			percentage = fmt.Sprint(*m.ToleratedPercentage)
		}
		if m.Results != nil {
			place = m.Results.Bucket + "/" + m.Results.Prefix
		}
		return fmt.Sprint(m.Label, " ", m.MaxConcurrency, " ", count, " ", percentage, " ", place)
	}
	for fields, want := range map[string]string{
		``:                    "S 10000 - - -",
		`"MaxConcurrency":0,`: "S 10000 - - -",
		`"MaxConcurrency":5,`: "S 5 - - -",
		`"MaxConcurrencyPath":"$.n","Label":"L-1",`:                                 "L-1 7 - - -",
		`"ToleratedFailureCount":0,"ToleratedFailurePercentage":10,`:                "S 10000 0 10 -",
		`"ToleratedFailureCountPath":"$.n","ToleratedFailurePercentagePath":"$.p",`: "S 10000 7 2.5 -",
		writer: "S 10000 - - bucket/p",
	} {
		c := &collector{}
		if spread(t, c, distributed(`"ItemsPath":"$.l",`+fields), input); show(c.job) != want {
			t.Errorf("%s: got %s, want %s", fields, show(c.job), want)
		}
	}
	for fields, cause := range map[string]string{
		`"ItemsPath":"$.n",`:                                                                 "must point to an array",
		`"MaxConcurrencyPath":"$.b",`:                                                        "The MaxConcurrencyPath '$.b' does not reference an integer from 0 to 10000",
		`"MaxConcurrencyPath":"$.p",`:                                                        "does not reference an integer",
		`"ToleratedFailurePercentagePath":"$.x",`:                                            "The ToleratedFailurePercentagePath '$.x' could not be found in the input",
		`"ToleratedFailureCountPath":"$.b",`:                                                 "does not reference an integer",
		`"ItemsPath":"$.l","ItemBatcher":{"MaxItemsPerBatchPath":"$.b"},`:                    "The MaxItemsPerBatchPath '$.b'",
		`"ItemsPath":"$.l","ItemBatcher":{"MaxInputBytesPerBatchPath":"$.b"},`:               "The MaxInputBytesPerBatchPath '$.b'",
		`"ItemsPath":"$.l","ItemBatcher":{"MaxItemsPerBatch":1,"BatchInput":{"x.$":"$.x"}},`: "'$.x' specified for the field 'x.$'",
		strings.Replace(writer, "$.b", "$.x", 1):                                             "'$.x' specified for the field 'Bucket.$'",
		strings.Replace(writer, "$.b", "$.n", 1):                                             "The parameter Bucket must be a string",
		reader(`"InputType":"JSON","MaxItemsPath":"$.b"`):                                    "The MaxItemsPath '$.b'",
	} {
		wantFailure(t, spread(t, &collector{}, distributed(fields), input), errRuntime, cause)
	}
}

func TestDistributedRefusals(t *testing.T) {
	t.Parallel()
	read := reader(`"InputType":"JSON"`)
	for name, c := range map[string]struct{ fields, want string }{
		"listing a bucket":     {strings.Replace(read, "getObject", "listObjectsV2", 1), "listing a bucket"},
		"other reader":         {strings.Replace(read, "s3:getObject", "dynamodb:scan", 1), `"arn:aws:states:::dynamodb:scan" is not supported`},
		"no Bucket":            {strings.Replace(read, `"Bucket":"b",`, ``, 1), "Bucket is missing"},
		"unknown parameter":    {strings.Replace(read, `"Key"`, `"Kee"`, 1), `the parameter "Kee" is not supported`},
		"no ReaderConfig":      {`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"}},`, `"ReaderConfig": is missing`},
		"no InputType":         {reader(``), `"InputType": is missing`},
		"InputType":            {reader(`"InputType":"MANIFEST"`), `"MANIFEST" is not supported`},
		"no header location":   {reader(`"InputType":"CSV"`), `"CSVHeaderLocation": is missing`},
		"header location":      {reader(`"InputType":"CSV","CSVHeaderLocation":"LAST"`), `must be FIRST_ROW or GIVEN`},
		"no headers":           {reader(`"InputType":"CSV","CSVHeaderLocation":"GIVEN"`), `"CSVHeaders": is missing`},
		"headers twice":        {reader(`"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","a"]`), `"a" is there twice`},
		"headers no texts":     {reader(`"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":[1]`), `must hold strings`},
		"delimiter":            {reader(`"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVDelimiter":";"`), `must be COMMA`},
		"CSV field of JSON":    {reader(`"InputType":"JSON","CSVHeaderLocation":"FIRST_ROW"`), `"CSVHeaderLocation": is unknown here`},
		"MaxItems twice":       {reader(`"InputType":"JSON","MaxItems":1,"MaxItemsPath":"$.n"`), `"MaxItemsPath": excludes "MaxItems"`},
		"reader and ItemsPath": {read + `"ItemsPath":"$.l",`, `"ItemsPath": excludes "ItemReader"`},
		"reader no object":     {`"ItemReader":1,`, `ItemReader: must be an object`},
		"batcher of nothing":   {`"ItemBatcher":{},`, `needs MaxItemsPerBatch or MaxInputBytesPerBatch`},
		"batcher no object":    {`"ItemBatcher":[],`, `ItemBatcher: must be an object`},
		"batch of 0":           {`"ItemBatcher":{"MaxItemsPerBatch":0},`, `must be an integer from 1`},
		"batch too large":      {`"ItemBatcher":{"MaxInputBytesPerBatch":262145},`, `must be an integer from 1 to 262144`},
		"percentage":           {`"ToleratedFailurePercentage":100.1,`, `must be a number from 0 to 100`},
		"count":                {`"ToleratedFailureCount":1.5,`, `must be an integer from 0`},
		"two tolerances":       {`"ToleratedFailureCount":1,"ToleratedFailureCountPath":"$.n",`, `excludes "ToleratedFailureCount"`},
		"concurrency":          {`"MaxConcurrency":10001,`, `must be an integer from 0 to 10000`},
		"label too long":       {`"Label":"` + strings.Repeat("x", 41) + `",`, `must have 40 characters at most`},
		"label":                {`"Label":"a b",`, `without white space`},
		"writer":               {`"ResultWriter":{"Resource":"arn:aws:states:::s3:deleteObject","Parameters":{"Bucket":"b"}},`, `only arn:aws:states:::s3:putObject is`},
		"writer no object":     {`"ResultWriter":1,`, `ResultWriter: must be an object`},
		"writer to nowhere":    {`"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject"},`, `"Parameters": is missing: Bucket is needed`},
	} {
		_, err := Parse([]byte(distributed(c.fields)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ definition, want string }{
		"within a Parallel": {oneState(`"Type":"Parallel","End":true,"Branches":[` + strings.ReplaceAll(distributed(``), `"S"`, `"T"`) + `]`), "within another state is not supported"},
		"EXPRESS":           {strings.Replace(distributed(``), "STANDARD", "EXPRESS", 1), `"EXPRESS" is not supported; only STANDARD is`},
		"no ExecutionType":  {strings.Replace(distributed(``), `,"ExecutionType":"STANDARD"`, ``, 1), `"ExecutionType": is missing`},
	} {
		if _, err := Parse([]byte(c.definition)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m, err := Parse([]byte(distributed(read)))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Executor{}).Check(m); err == nil || !strings.Contains(err.Error(), "distributed Map states are not supported here") || !strings.Contains(err.Error(), "there is no S3") {
		t.Errorf("got %v", err)
	}
	if m.Child("S") == nil || m.Child("T") != nil {
		t.Errorf("children: %v", m.children)
	}
}

func TestMapRunHistory(t *testing.T) {
	t.Parallel()
	o := spread(t, &collector{}, distributed(``), `[1,2]`)
	if got := o.hist.types(); got != "ExecutionStarted<0 MapStateEntered<0 MapStateStarted<2 MapRunStarted<3 MapRunSucceeded<4 MapStateSucceeded<5 MapStateExited<6 ExecutionSucceeded<7" {
		t.Errorf("got %s", got)
	}
	text, _ := json.Marshal(o.hist.events[3])
	if !strings.Contains(string(text), `"mapRunStartedEventDetails":{"mapRunArn":"arn:aws:states:us-east-1:000000000000:mapRun:m/S:`) {
		t.Errorf("got %s", text)
	}
	o = spread(t, &collector{err: &Error{"States.ExceedToleratedFailureThreshold", "why"}}, distributed(``), `[]`)
	wantFailure(t, o, "States.ExceedToleratedFailureThreshold", "why")
	text, _ = json.Marshal(o.hist.events[4])
	if !strings.Contains(string(text), `"mapRunFailedEventDetails":{"error":"States.ExceedToleratedFailureThreshold","cause":"why"}`) || o.hist.events[5].Type != "MapStateFailed" {
		t.Errorf("got %s, %s", text, o.hist.types())
	}
}

// TestMapRunResumes cuts the history after each event: the same Map Run goes on, and no event comes twice.
func TestMapRunResumes(t *testing.T) {
	t.Parallel()
	definition := distributed(``)
	whole := spread(t, &collector{}, definition, `[1]`)
	m, _ := Parse([]byte(definition))
	for n := 1; n < len(whole.hist.events)-2; n++ {
		c, h := &collector{}, &history{events: append([]Event(nil), whole.hist.events[:n]...)}
		x := &Executor{Clock: newFakeClock(), MapRunner: c, Objects: c}
		resume := &Resume{Checkpoint: whole.hist.checkpoints[0], Events: whole.hist.events[:n]}
		r, err := x.Run(t.Context(), m, testInfo(`[1]`), resume, h)
		if err != nil || r.Status != StatusSucceeded || h.types() != whole.hist.types() {
			t.Errorf("after %d events: %+v, %v: %s", n, r, err, h.types())
		}
		if n >= 4 && c.job.ARN != whole.hist.events[3].Details.MapRunARN {
			t.Errorf("after %d events: it began anew", n)
		}
	}
	// A Map Run that had failed is over.
	failed := append(append([]Event(nil), whole.hist.events[:4]...), Event{ID: 5, Type: "MapRunFailed"})
	c := &collector{}
	x := &Executor{Clock: newFakeClock(), MapRunner: c, Objects: c}
	if _, err := x.Run(t.Context(), m, testInfo(`[1]`), &Resume{Checkpoint: whole.hist.checkpoints[0], Events: failed}, &history{}); err != nil ||
		c.job.ARN == whole.hist.events[3].Details.MapRunARN {
		t.Errorf("it went on with what had failed: %v", err)
	}
}

func TestMapRunAborted(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(distributed(``)))
	if err != nil {
		t.Fatal(err)
	}
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
		r, err := (&Executor{Clock: newFakeClock(), MapRunner: run}).Run(ctx, m, testInfo(`[]`), nil, h)
		if r.Status != c.status || !strings.HasSuffix(h.types(), c.last) || (c.status == "") != errors.Is(err, ErrInterrupted) {
			t.Errorf("%s: got %+v, %v, %s", name, r, err, h.types())
		}
	}
}

type mapRunnerFunc func(ctx context.Context, m MapRun) (json.RawMessage, error)

func (f mapRunnerFunc) RunMap(ctx context.Context, m MapRun) (json.RawMessage, error) {
	return f(ctx, m)
}
