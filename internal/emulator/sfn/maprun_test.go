package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// memory is an Objects in memory.
type memory struct {
	mu      sync.Mutex
	objects map[string]string
	refuse  error // of writes
	opened  int
}

func newMemory(objects map[string]string) *memory { return &memory{objects: objects} }

func (m *memory) OpenObject(_ context.Context, o asl.Object) (io.ReadCloser, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened++
	text, ok := m.objects[o.Bucket+"/"+o.Key]
	if !ok {
		return nil, "", errors.New("NoSuchKey")
	}
	return io.NopCloser(strings.NewReader(text)), fmt.Sprint(len(text), text[:min(len(text), 20)]), nil
}

func (m *memory) PutObject(_ context.Context, bucket, key string, body io.ReadSeeker, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	text, err := io.ReadAll(body)
	if err == nil && int64(len(text)) != size {
		err = fmt.Errorf("%s has %d bytes, %d announced", key, len(text), size)
	}
	m.objects[bucket+"/"+key] = string(text)
	return err
}

func (m *memory) get(key string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[key]
}

// items is a list of n items, 0 to n-1.
func items(n int) string {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// mapDefinition is a distributed Map over b/list.json whose children run one task.
func mapDefinition(fields string) string {
	return `{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"Label":"Work",` + writer + fields + `
		"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"list.json"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T","States":{
			"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"OutputPath":"$.Payload","End":true}}}}}}`
}

const writer = `"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b","Prefix":"out"}},`

func mapConfig(dir, definition string, objects Objects, i Invoker) Config {
	return Config{
		Dir: dir, Invoker: i, Objects: objects, Clock: asl.ScaledClock{Waits: 0.001},
		Machines: []MachineConfig{{"m", []byte(definition)}, {"p", []byte(passDefinition)}, {"w", []byte(waitDefinition)}},
	}
}

// failing fails the children whose input is in the list, and echoes the others.
func failing(inputs ...string) Invoker {
	return invokerFunc(func(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
		for _, input := range inputs {
			if string(payload) == input {
				return []byte(`{"errorType":"Broken","errorMessage":"no"}`), "Unhandled", nil
			}
		}
		return payload, "", nil
	})
}

func TestMapRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields, list, want, failure string
		invoker                     Invoker
	}{
		"all succeed":            {``, items(12), "12 0", "", nil},
		"no items":               {``, `[]`, "0 0", "", nil},
		"one at a time":          {`"MaxConcurrency":1,`, items(3), "3 0", "", nil},
		"a failure":              {``, items(3), ``, "States.ExceedToleratedFailureThreshold", failing("1")},
		"tolerated exactly":      {`"ToleratedFailurePercentage":50,`, items(4), "2 2", "", failing("1", "2")},
		"more than a percentage": {`"ToleratedFailurePercentage":49.9,`, items(4), ``, "States.ExceedToleratedFailureThreshold", failing("1", "2")},
		"all may fail":           {`"ToleratedFailurePercentage":100,`, items(1), "0 1", "", failing("0")},
		"no array":               {``, "[1,{", ``, "States.ItemReaderFailed", nil},
		"an item too large":      {``, `["` + strings.Repeat("x", asl.MaxDataSize) + `"]`, ``, "States.DataLimitExceeded", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.invoker == nil {
				c.invoker = invokerFunc(echoPayload)
			}
			objects := newMemory(map[string]string{"b/list.json": c.list})
			s := newService(t, mapConfig(t.TempDir(), mapDefinition(c.fields), objects, c.invoker))
			e := wait(t, s, start(t, s, "m", "e", `{}`).ARN)
			if c.failure != e.Error {
				t.Errorf("got %s %s %s", e.Status, e.Error, e.Cause)
			}
			runs, err := s.MapRuns(e.ARN)
			if err != nil || len(runs) != 1 || (runs[0].Status == asl.StatusSucceeded) != (c.failure == "") || runs[0].StopDate.IsZero() {
				t.Fatalf("got %+v, %v", runs, err)
			}
			if got := fmt.Sprint(runs[0].Executions.Succeeded, runs[0].Executions.Failed); c.want != "" && got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// rows reads a file of results.
func rows(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return all
}

func TestResultWriter(t *testing.T) {
	t.Parallel()
	objects := newMemory(map[string]string{"b/list.json": items(5)})
	s := newService(t, mapConfig(t.TempDir(), mapDefinition(`"MaxConcurrency":1,"ToleratedFailurePercentage":20,`), objects, failing("1", "2")))
	e := wait(t, s, start(t, s, "m", "e", `{}`).ARN)
	if e.Error != "States.ExceedToleratedFailureThreshold" {
		t.Fatalf("got %+v", e)
	}
	runs, _ := s.MapRuns(e.ARN)
	id := runs[0].ARN[strings.LastIndexByte(runs[0].ARN, ':')+1:]
	if want := "arn:aws:states:us-east-1:000000000000:mapRun:m/Work:" + id; runs[0].ARN != want {
		t.Errorf("got %s, want %s", runs[0].ARN, want)
	}
	folder := "out/" + id + "/"
	var manifest struct {
		DestinationBucket, MapRunArn string
		ResultFiles                  map[string][]struct {
			Key  string
			Size int
		}
	}
	if err := json.Unmarshal([]byte(objects.get("b/"+folder+"manifest.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.DestinationBucket != "b" || manifest.MapRunArn != runs[0].ARN {
		t.Errorf("got %+v", manifest)
	}
	got := map[string]string{}
	for kind, files := range manifest.ResultFiles {
		for i, f := range files {
			text := objects.get("b/" + f.Key)
			if f.Key != fmt.Sprintf("%s%s_%d.json", folder, kind, i) || f.Size != len(text) {
				t.Errorf("%s: %+v for %d bytes", kind, f, len(text))
			}
			for _, row := range rows(t, text) {
				got[kind] += fmt.Sprintf("%v %v %v,", row["Input"], row["Status"], row["Error"])
			}
		}
	}
	want := map[string]string{"SUCCEEDED": "0 SUCCEEDED <nil>,", "FAILED": "1 FAILED Broken,2 FAILED Broken,", "PENDING": "3 PENDING <nil>,4 PENDING <nil>,"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	row := rows(t, objects.get("b/"+folder+"SUCCEEDED_0.json"))[0]
	children, _, err := s.List(runs[0].ARN, asl.StatusSucceeded, 0, "")
	if err != nil || len(children) != 1 {
		t.Fatalf("got %+v, %v", children, err)
	}
	for name, want := range map[string]any{
		"ExecutionArn": children[0].ARN, "Name": children[0].Name, "StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m/Work",
		"Input": "0", "Output": "0", "InputDetails": map[string]any{"Included": true}, "OutputDetails": map[string]any{"Included": true},
		"RedriveCount": 0.0, "RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven", "StartDate": children[0].StartDate.UTC().Format(resultTime), "StopDate": children[0].StopDate.UTC().Format(resultTime),
	} {
		if fmt.Sprint(row[name]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, row[name], want)
		}
	}
	if d := runs[0]; d.Executions != (Counts{Pending: 2, Succeeded: 1, Failed: 2, Total: 5, Written: 5}) {
		t.Errorf("got %+v", d)
	}
}

func TestResultWriterSucceeds(t *testing.T) {
	t.Parallel()
	objects := newMemory(map[string]string{"b/list.json": items(3)})
	s := newService(t, mapConfig(t.TempDir(), mapDefinition(``), objects, invokerFunc(echoPayload)))
	e := wait(t, s, start(t, s, "m", "e", `{}`).ARN)
	runs, _ := s.MapRuns(e.ARN)
	id := runs[0].ARN[strings.LastIndexByte(runs[0].ARN, ':')+1:]
	if want := `{"MapRunArn":"` + runs[0].ARN + `","ResultWriterDetails":{"Bucket":"b","Key":"out/` + id + `/manifest.json"}}`; string(e.Output) != want {
		t.Errorf("got %s %s %s, want %s", e.Output, e.Error, e.Cause, want)
	}
	events, _, err := s.History(e.ARN, false, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, event := range events {
		types = append(types, string(event.Type))
	}
	if got := strings.Join(types, " "); got != "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded" {
		t.Errorf("got %s", got)
	}

	objects.mu.Lock()
	objects.refuse = errors.New("AccessDenied")
	objects.mu.Unlock()
	if e := wait(t, s, start(t, s, "m", "refused", `{}`).ARN); e.Error != "States.ResultWriterFailed" || !strings.Contains(e.Cause, "AccessDenied") {
		t.Errorf("got %+v", e)
	}
}

// TestMapRunConcurrency holds the children to find out how many run at once.
func TestMapRunConcurrency(t *testing.T) {
	t.Parallel()
	var now, peak atomic.Int64
	release := make(chan struct{})
	arrived := make(chan struct{}, 100)
	hold := invokerFunc(func(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
		peak.Store(max(peak.Load(), now.Add(1)))
		arrived <- struct{}{}
		<-release
		now.Add(-1)
		return payload, "", nil
	})
	s := newService(t, mapConfig(t.TempDir(), mapDefinition(`"MaxConcurrency":2,`), newMemory(map[string]string{"b/list.json": items(9)}), hold))
	e := start(t, s, "m", "e", `{}`)
	<-arrived
	<-arrived
	runs, err := s.MapRuns(e.ARN)
	if err != nil || runs[0].Executions != (Counts{Running: 2, Pending: 7, Total: 9}) || runs[0].MaxConcurrency != 2 {
		t.Fatalf("got %+v, %v", runs, err)
	}
	close(release)
	if e := wait(t, s, e.ARN); e.Status != asl.StatusSucceeded || peak.Load() > 2 {
		t.Errorf("got %+v, %d at once", e, peak.Load())
	}
}

// TestStopOfMapRun stops the execution: its children stop with it.
func TestStopOfMapRun(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 100)
	hold := invokerFunc(func(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
		arrived <- struct{}{}
		<-ctx.Done()
		return nil, "", ctx.Err()
	})
	s := newService(t, mapConfig(t.TempDir(), mapDefinition(`"MaxConcurrency":2,`), newMemory(map[string]string{"b/list.json": items(9)}), hold))
	e := start(t, s, "m", "e", `{}`)
	<-arrived
	<-arrived
	if _, err := s.Stop(e.ARN, "Enough", ""); err != nil {
		t.Fatal(err)
	}
	runs, _ := s.MapRuns(e.ARN)
	if runs[0].Status != asl.StatusAborted || runs[0].Executions != (Counts{Aborted: 2, Pending: 7, Total: 9}) {
		t.Errorf("got %+v", runs)
	}
	events, _, _ := s.History(e.ARN, true, 2, "")
	if events[0].Type != "ExecutionAborted" || events[1].Type != "MapRunAborted" {
		t.Errorf("got %+v", events)
	}
}

// TestOrphans is a crash between the end of an execution and that of its Map Run: the children are ended.
func TestOrphans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	objects := newMemory(map[string]string{"b/list.json": items(3)})
	arrived := make(chan struct{}, 3)
	hold := invokerFunc(func(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
		arrived <- struct{}{}
		<-ctx.Done()
		return nil, "", ctx.Err()
	})
	s, err := New(mapConfig(dir, mapDefinition(`"MaxConcurrency":1,`), objects, hold))
	if err != nil {
		t.Fatal(err)
	}
	arn := start(t, s, "m", "e", `{}`).ARN
	<-arrived
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "m", "e.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		err = appendLine(f, line{Event: &asl.Event{ID: 5, Type: "ExecutionAborted"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	s = newService(t, mapConfig(dir, mapDefinition(`"MaxConcurrency":1,`), objects, hold))
	runs, err := s.MapRuns(arn)
	if err != nil || len(runs) != 1 {
		t.Fatalf("got %+v, %v", runs, err)
	}
	children, _, _ := s.List(runs[0].ARN, "", 0, "")
	if e := wait(t, s, children[0].ARN); e.Status != asl.StatusAborted || len(children) != 1 {
		t.Errorf("got %+v", e)
	}
}
