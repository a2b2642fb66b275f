package asl

import (
	"strings"
	"testing"
)

// TestChoiceOperators asks each operator of values at its boundaries. The rule is about $.v; $.w is the other operand.
func TestChoiceOperators(t *testing.T) {
	t.Parallel()
	type ask struct {
		v    string // JSON; empty: not there
		want bool
	}
	yes := func(vs ...string) (all []ask) {
		for _, v := range vs {
			all = append(all, ask{v, true})
		}
		return all
	}
	no := func(vs ...string) (all []ask) {
		for _, v := range vs {
			all = append(all, ask{v, false})
		}
		return all
	}
	day := `"2026-01-02T03:04:05Z"`
	for _, c := range []struct {
		operator, operand string
		asks              []ask
	}{
		{"StringEquals", `"b"`, append(yes(`"b"`), no(`"B"`, `"bb"`, `""`, `1`, `null`, `["b"]`)...)},
		{"StringLessThan", `"b"`, append(yes(`"a"`, `""`, `"B"`, `"az"`), no(`"b"`, `"c"`, `1`)...)},
		{"StringGreaterThan", `"b"`, append(yes(`"c"`, `"ba"`), no(`"b"`, `"a"`, `2`)...)},
		{"StringLessThanEquals", `"b"`, append(yes(`"b"`, `"a"`), no(`"ba"`, `null`)...)},
		{"StringGreaterThanEquals", `"b"`, append(yes(`"b"`, `"ba"`), no(`"a"`, `true`)...)},
		{"NumericEquals", `1`, append(yes(`1`, `1.0`, `10e-1`), no(`1.0000000001`, `"1"`, `true`, `null`)...)},
		{"NumericEquals", `9007199254740993`, append(yes(`9007199254740993`), no(`9007199254740992`)...)},
		{"NumericLessThan", `1`, append(yes(`0`, `-1e99`, `0.999`), no(`1`, `2`, `"0"`)...)},
		{"NumericGreaterThan", `1`, append(yes(`2`, `1.001`), no(`1`, `0`, `"2"`)...)},
		{"NumericLessThanEquals", `1`, append(yes(`1`, `0`), no(`1.1`, `null`)...)},
		{"NumericGreaterThanEquals", `1`, append(yes(`1`, `2`), no(`0.9`, `"1"`)...)},
		{"BooleanEquals", `true`, append(yes(`true`), no(`false`, `"true"`, `1`, `null`)...)},
		{"BooleanEquals", `false`, append(yes(`false`), no(`true`, `null`, `0`)...)},
		{"TimestampEquals", day, append(yes(day, `"2026-01-02T04:04:05+01:00"`, `"2026-01-02T03:04:05.000Z"`), no(`"2026-01-02T03:04:06Z"`, `"2026-01-02"`, `1`)...)},
		{"TimestampLessThan", day, append(yes(`"2026-01-02T03:04:04.999Z"`), no(day, `"x"`)...)},
		{"TimestampGreaterThan", day, append(yes(`"2026-01-02T03:04:05.001Z"`), no(day, `"z"`)...)},
		{"TimestampLessThanEquals", day, append(yes(day, `"2025-01-02T03:04:05Z"`), no(`"2027-01-02T03:04:05Z"`)...)},
		{"TimestampGreaterThanEquals", day, append(yes(day, `"2027-01-02T03:04:05Z"`), no(`"2025-01-02T03:04:05Z"`)...)},
		{"StringMatches", `"log-*.txt"`, append(yes(`"log-.txt"`, `"log-a.txt.txt"`), no(`"log-txt"`, `"log-.txt2"`, `"xlog-.txt"`, `1`)...)},
		{"StringMatches", `"*a*a*"`, append(yes(`"aa"`, `"xaxax"`), no(`"a"`, `""`)...)},
		{"StringMatches", `"a*a"`, append(yes(`"aa"`, `"aba"`), no(`"a"`)...)},
		{"StringMatches", `"*"`, append(yes(`""`, `"x"`), no(`null`)...)},
		{"StringMatches", `"\\**\\\\"`, append(yes(`"*\\"`, `"*x\\"`), no(`"x\\"`, `"*"`)...)},
		{"StringMatches", `"plain"`, append(yes(`"plain"`), no(`"plainer"`)...)},
		{"IsPresent", `true`, append(yes(`1`, `null`), no(``)...)},
		{"IsPresent", `false`, append(yes(``), no(`null`, `0`)...)},
		{"IsNull", `true`, append(yes(`null`), no(`0`, `""`, `false`)...)},
		{"IsNull", `false`, append(yes(`0`), no(`null`)...)},
		{"IsString", `true`, append(yes(`""`, `"1"`), no(`1`, `null`)...)},
		{"IsNumeric", `true`, append(yes(`1`, `-0.5`), no(`"1"`, `true`)...)},
		{"IsBoolean", `true`, append(yes(`true`, `false`), no(`"true"`, `0`, `null`)...)},
		{"IsTimestamp", `true`, append(yes(day), no(`"2026-01-02 03:04:05Z"`, `"2026-01-02T03:04:05z"`, `"2026-01-02T03:04:05"`, `5`)...)},
		{"IsTimestamp", `false`, append(yes(`"soon"`), no(day)...)},
	} {
		for _, a := range c.asks {
			askChoice(t, c.operator, c.operand, a.v, a.want)
			if strings.HasPrefix(c.operator, "Is") || c.operator == "StringMatches" || a.v == "" {
				continue
			}
			askChoice(t, c.operator+"Path", `"$.w"`, a.v+`,"w":`+c.operand, a.want)
		}
	}
}

func askChoice(t *testing.T, operator, operand, v string, want bool) {
	t.Helper()
	definition := `{"StartAt":"S","States":{"S":{"Type":"Choice","Default":"No","Choices":[
		{"Variable":"$.v","` + operator + `":` + operand + `,"Next":"Yes"}]},
		"Yes":{"Type":"Pass","Result":true,"End":true},"No":{"Type":"Pass","Result":false,"End":true}}}`
	input := `{"x":0}`
	if v != "" {
		input = `{"v":` + v + `}`
	}
	o := execute(t, definition, input, nil)
	if got := string(o.Output) == "true"; o.Status != StatusSucceeded || got != want {
		t.Errorf("%s %s of %s: got %s %s %s, want %v", operator, operand, input, o.Status, o.Output, o.Cause, want)
	}
}

func TestChoiceCombinations(t *testing.T) {
	t.Parallel()
	big := `{"Variable":"$.n","NumericGreaterThan":10}`
	odd := `{"Variable":"$.odd","BooleanEquals":true}`
	for _, c := range []struct {
		rule, input string
		want        bool
	}{
		{`"And":[` + big + `,` + odd + `]`, `{"n":11,"odd":true}`, true},
		{`"And":[` + big + `,` + odd + `]`, `{"n":11,"odd":false}`, false},
		{`"And":[` + big + `,` + odd + `]`, `{"n":1}`, false}, // the second is not looked at
		{`"Or":[` + big + `,` + odd + `]`, `{"n":11}`, true},  // nor here
		{`"Or":[` + big + `,` + odd + `]`, `{"n":1,"odd":true}`, true},
		{`"Or":[` + big + `,` + odd + `]`, `{"n":1,"odd":false}`, false},
		{`"Not":` + big, `{"n":10}`, true},
		{`"Not":` + big, `{"n":11}`, false},
		{`"Not":{"Or":[{"Not":` + big + `},{"And":[` + odd + `]}]}`, `{"n":11,"odd":false}`, true},
	} {
		definition := `{"StartAt":"S","States":{"S":{"Type":"Choice","Default":"No","Choices":[{` + c.rule + `,"Next":"Yes"}]},
			"Yes":{"Type":"Pass","Result":true,"End":true},"No":{"Type":"Pass","Result":false,"End":true}}}`
		o := execute(t, definition, c.input, nil)
		if got := string(o.Output) == "true"; o.Status != StatusSucceeded || got != c.want {
			t.Errorf("%s of %s: got %s %s %s", c.rule, c.input, o.Status, o.Output, o.Cause)
		}
	}
}

func TestChoiceFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, cause string }{
		{`"Variable":"$.missing","IsNull":true`, "'S' (entered at the event id #2). Invalid path '$.missing': The choice state's condition path references an invalid value."},
		{`"Variable":"$.n","NumericEqualsPath":"$.missing"`, "Invalid path '$.missing'"},
		{`"And":[{"Variable":"$.missing","NumericEquals":1}]`, "Invalid path '$.missing'"},
		{`"Variable":"$.n","NumericEquals":2`, "Failed to transition out of the state. The state does not point to a next state."},
	} {
		o := execute(t, `{"StartAt":"S","States":{"S":{"Type":"Choice","Choices":[{`+c.rule+`,"Next":"T"}]},"T":{"Type":"Succeed"}}}`,
			`{"n":1}`, nil)
		wantFailure(t, o, "States.Runtime", c.cause)
	}
}

func TestChoiceTakesTheFirstRuleThatHolds(t *testing.T) {
	t.Parallel()
	o := execute(t, `{"StartAt":"S","States":{"S":{"Type":"Choice","InputPath":"$.in","OutputPath":"$.out","Choices":[
		{"Variable":"$.n","NumericGreaterThan":5,"Next":"A"},
		{"Variable":"$.n","NumericGreaterThan":1,"Next":"B"},
		{"Variable":"$.n","NumericGreaterThan":0,"Next":"C"}]},
		"A":{"Type":"Fail"},"B":{"Type":"Succeed"},"C":{"Type":"Fail"}}}`, `{"in":{"n":3,"out":"x"}}`, nil)
	wantOutput(t, o, `"x"`)
	want := "ExecutionStarted<0 ChoiceStateEntered<0 ChoiceStateExited<2 SucceedStateEntered<3 SucceedStateExited<4 ExecutionSucceeded<5"
	if got := o.hist.types(); got != want {
		t.Errorf("got %s", got)
	}
}
