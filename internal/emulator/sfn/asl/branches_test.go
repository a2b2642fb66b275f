package asl

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func mapState(fields, states string) string {
	if fields != "" {
		fields = "," + fields
	}
	return oneState(`"Type":"Map","End":true` + fields + `,"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"I","States":{` + states + `}}`)
}

const itemPass = `"I":{"Type":"Pass","End":true}`

func TestMap(t *testing.T) {
	t.Parallel()
	const input = `{"l":[3,1,2],"x":"y","c":2}`
	for name, c := range map[string]struct{ fields, states, input, want string }{
		"whole input":     {``, itemPass, `[1,"a",null]`, `[1,"a",null]`},
		"empty":           {``, itemPass, `[]`, `[]`},
		"ItemsPath":       {`"ItemsPath":"$.l"`, itemPass, input, `[3,1,2]`},
		"InputPath first": {`"InputPath":"$.d","ItemsPath":"$.l"`, itemPass, `{"d":{"l":[1]}}`, `[1]`},
		"ItemSelector":    {`"ItemsPath":"$.l","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value","x.$":"$.x"}`, itemPass, input, `[{"i":0,"v":3,"x":"y"},{"i":1,"v":1,"x":"y"},{"i":2,"v":2,"x":"y"}]`},
		"Parameters":      {`"ItemsPath":"$.l","Parameters":{"v.$":"$$.Map.Item.Value"}`, itemPass, input, `[{"v":3},{"v":1},{"v":2}]`},
		"context within":  {`"ItemsPath":"$.l","MaxConcurrency":1`, `"I":{"Type":"Pass","Parameters":{"i.$":"$$.Map.Item.Index","s.$":"$$.State.Name"},"End":true}`, input, `[{"i":0,"s":"I"},{"i":1,"s":"I"},{"i":2,"s":"I"}]`},
		"ResultPath":      {`"ItemsPath":"$.l","ResultSelector":{"first.$":"$[0]"},"ResultPath":"$.r","MaxConcurrencyPath":"$.c"`, itemPass, input, `{"l":[3,1,2],"x":"y","c":2,"r":{"first":3}}`},
	} {
		o := execute(t, mapState(c.fields, c.states), c.input, nil)
		if o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s\nwant %s", name, o.Status, o.Output, o.Cause, c.want)
		}
	}
	for fields, cause := range map[string]string{
		`"ItemsPath":"$.x"`:                                    "ItemsPath must point to an array, not a string",
		`"ItemsPath":"$.missing"`:                              "'$.missing' of ItemsPath could not be found in the input",
		`"ItemsPath":"$.l","MaxConcurrencyPath":"$.x"`:         "The MaxConcurrencyPath '$.x' does not reference",
		`"ItemsPath":"$.l","ItemSelector":{"a.$":"$.missing"}`: "'$.missing' specified for the field 'a.$'",
	} {
		wantFailure(t, execute(t, mapState(fields, itemPass), input, nil), "States.Runtime", cause)
	}
}

func TestMapHistory(t *testing.T) {
	t.Parallel()
	o := execute(t, mapState(`"MaxConcurrency":1`, itemPass), `[1,2]`, nil)
	want := "ExecutionStarted<0 MapStateEntered<0 MapStateStarted<2 MapIterationStarted<3 PassStateEntered<4 PassStateExited<5 MapIterationSucceeded<6 " +
		"MapIterationStarted<3 PassStateEntered<8 PassStateExited<9 MapIterationSucceeded<10 MapStateSucceeded<11 MapStateExited<12 ExecutionSucceeded<13"
	if got := o.hist.types(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	second, _ := json.Marshal(o.hist.events[7])
	if !strings.Contains(string(second), `"mapIterationStartedEventDetails":{"name":"S","index":1}`) {
		t.Errorf("got %s", second)
	}
	if len(o.hist.checkpoints) != 2 {
		t.Errorf("there are checkpoints within the Map: %+v", o.hist.checkpoints)
	}
	o = execute(t, mapState(``, itemPass), `[]`, nil)
	if got, _ := json.Marshal(o.hist.events[2]); !strings.Contains(string(got), `"mapStateStartedEventDetails":{"length":0}`) {
		t.Errorf("got %s", got)
	}
}

func TestMapConcurrency(t *testing.T) {
	t.Parallel()
	for fields, most := range map[string]int64{`"MaxConcurrency":3`: 3, `"MaxConcurrency":0`: 40, `"MaxConcurrency":100`: 40} {
		var now, peak atomic.Int64
		items := `[` + strings.TrimSuffix(strings.Repeat("1,", 120), ",") + `]`
		o := execute(t, mapState(fields, `"I":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true}`), items,
			func(_ context.Context, task Task) (json.RawMessage, error) {
				n := now.Add(1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				time.Sleep(time.Millisecond)
				now.Add(-1)
				return task.Parameters, nil
			})
		if o.Status != StatusSucceeded || peak.Load() > most || peak.Load() < 2 {
			t.Errorf("%s: %s with %d at once", fields, o.Status, peak.Load())
		}
	}
}

// TestFailureEndsTheOthers has one item fail while another is in the middle of its work.
func TestFailureEndsTheOthers(t *testing.T) {
	t.Parallel()
	var working sync.WaitGroup
	working.Add(1)
	work := func(ctx context.Context, task Task) (json.RawMessage, error) {
		if string(task.Parameters) == `1` {
			working.Done()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		working.Wait()
		return nil, &Error{"Item", "is bad"}
	}
	const end = `"Catch":[{"ErrorEquals":["Item"],"ResultPath":"$[0]","Next":"T"}]},"T":{"Type":"Succeed"}}}`
	const task = `{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true}`
	for kind, definition := range map[string]string{
		"Map": `{"StartAt":"S","States":{"S":{"Type":"Map","Next":"T","ItemProcessor":{"StartAt":"I","States":{"I":` + task + `}},` + end,
		"Parallel": `{"StartAt":"S","States":{"S":{"Type":"Parallel","Next":"T","Branches":[
			{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$[0]","Next":"B"},"B":` + task + `}},
			{"StartAt":"C","States":{"C":{"Type":"Pass","InputPath":"$[1]","Next":"D"},"D":` + task + `}}],` + end,
	} {
		working = sync.WaitGroup{}
		working.Add(1)
		o := execute(t, definition, `[1,2]`, work)
		wantOutput(t, o, `[{"Error":"Item","Cause":"is bad"},2]`)
		types := o.hist.types()
		for _, want := range []string{"TaskStateAborted<", kind + "StateFailed<", kind + "StateExited<"} {
			if strings.Count(types, want) != 1 {
				t.Errorf("%s: no %s in %s", kind, want, types)
			}
		}
		if kind == "Map" && (strings.Count(types, "MapIterationAborted<") != 1 || strings.Count(types, "MapIterationFailed<") != 1) {
			t.Errorf("got %s", types)
		}
	}
}

func TestParallel(t *testing.T) {
	t.Parallel()
	o := execute(t, oneState(`"Type":"Parallel","End":true,"Parameters":{"n.$":"$.a"},"ResultPath":"$.r","Branches":[
		{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$.n"},"End":true}}},
		{"Comment":"c","StartAt":"B","States":{"B":{"Type":"Succeed","OutputPath":"$.n"}}}]`), `{"a":1}`, nil)
	wantOutput(t, o, `{"a":1,"r":[{"a":1},1]}`)
	types := o.hist.types()
	if !strings.HasPrefix(types, "ExecutionStarted<0 ParallelStateEntered<0 ParallelStateStarted<2 ") ||
		!strings.HasSuffix(types, "ParallelStateSucceeded<7 ParallelStateExited<8 ExecutionSucceeded<9") {
		t.Errorf("got %s", types)
	}
	// An error within goes out under its own name, and may be retried there.
	n := atomic.Int64{}
	o = execute(t, oneState(`"Type":"Parallel","End":true,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":4}],"Branches":[
		{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true}}}]`), `1`,
		func(context.Context, Task) (json.RawMessage, error) {
			if n.Add(1) == 1 {
				return nil, &Error{"E", "once"}
			}
			return json.RawMessage(`2`), nil
		})
	wantOutput(t, o, `[2]`)
	if len(o.clock.sleeps) != 1 || o.clock.sleeps[0] != 4*time.Second {
		t.Errorf("slept %v", o.clock.sleeps)
	}
	o = execute(t, oneState(`"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$.x","End":true}}}]`), `{}`, nil)
	wantFailure(t, o, "States.Runtime", "An error occurred while executing the state 'A' (entered at the event id #4). The path '$.x'")
}

func TestNestedMaps(t *testing.T) {
	t.Parallel()
	o := execute(t, mapState(``, `"I":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"J","States":{"J":{"Type":"Pass","Parameters":{"v.$":"States.Format('{}{}', $$.Map.Item.Index, $$.Map.Item.Value)"},"End":true}}}}`), `[["a","b"],["c"]]`, nil)
	wantOutput(t, o, `[[{"v":"0a"},{"v":"1b"}],[{"v":"0c"}]]`)
}
