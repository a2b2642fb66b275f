package asl

import (
	"slices"
	"strings"
	"testing"
)

// TestParseRefusals takes a definition that is right and spoils one thing.
func TestParseRefusals(t *testing.T) {
	t.Parallel()
	task := `"Type":"Task","Resource":"arn:aws:states:::test:work"`
	machine := func(fields string) string { return `{"StartAt":"S",` + fields + `}` }
	states := func(list string) string { return machine(`"States":{` + list + `}`) }
	pass := `"S":{"Type":"Pass","End":true}`
	for name, c := range map[string]struct{ definition, want string }{
		"not JSON":              {`{`, "EOF"},
		"not an object":         {`[]`, "a definition is an object, not an array"},
		"no StartAt":            {`{"States":{` + pass + `}}`, `state machine: field "StartAt": is missing`},
		"no States":             {`{"StartAt":"S"}`, `field "States": is missing`},
		"States empty":          {machine(`"States":{}`), `field "States": is empty`},
		"States not an object":  {machine(`"States":[]`), `field "States": must be an object, not an array`},
		"state not an object":   {states(`"S":1`), `state "S": must be an object, not a number`},
		"StartAt dangles":       {`{"StartAt":"X","States":{` + pass + `}}`, `there is no state "X"`},
		"unknown field at top":  {machine(`"Stats":{},"States":{` + pass + `}`), `state machine: field "Stats": is unknown here`},
		"Version":               {machine(`"Version":"2.0","States":{` + pass + `}`), `field "Version": must be "1.0"`},
		"JSONata at top":        {machine(`"QueryLanguage":"JSONata","States":{` + pass + `}`), `"JSONata" is not supported`},
		"JSONata in a state":    {oneState(`"Type":"Pass","End":true,"QueryLanguage":"JSONata"`), `state "S": field "QueryLanguage": "JSONata" is not supported`},
		"Arguments":             {oneState(task + `,"End":true,"Arguments":{}`), `"Arguments": JSONata is not supported`},
		"Assign":                {oneState(`"Type":"Pass","End":true,"Assign":{}`), `"Assign": variables are not supported`},
		"Credentials":           {oneState(task + `,"End":true,"Credentials":{}`), `"Credentials": is not supported`},
		"TimeoutSeconds at top": {machine(`"TimeoutSeconds":0,"States":{` + pass + `}`), `"TimeoutSeconds": must be an integer from 1`},
		"Comment":               {machine(`"Comment":1,"States":{` + pass + `}`), `"Comment": must be a string, not a number`},
		"no Type":               {oneState(`"End":true`), `state "S": field "Type": is missing`},
		"unknown Type":          {oneState(`"Type":"Noop"`), `"Type": "Noop" is unknown`},
		"unknown field":         {oneState(`"Type":"Pass","End":true,"Resultpath":"$.a"`), `state "S": field "Resultpath": is unknown here`},
		"field of another Type": {oneState(`"Type":"Wait","Seconds":1,"End":true,"ResultPath":"$.a"`), `"ResultPath": is unknown here`},
		"Retry on Pass":         {oneState(`"Type":"Pass","End":true,"Retry":[]`), `"Retry": is unknown here`},
		"Next on Succeed":       {oneState(`"Type":"Succeed","End":true`), `"End": is unknown here`},
		"neither Next nor End":  {oneState(`"Type":"Pass"`), `state "S": needs "Next" or "End"`},
		"Next and End":          {oneState(`"Type":"Pass","Next":"S","End":true`), `"End": excludes "Next"`},
		"End false":             {oneState(`"Type":"Pass","End":false`), `"End": must be true or left out`},
		"Next empty":            {oneState(`"Type":"Pass","Next":""`), `"Next": is empty`},
		"Next not a string":     {oneState(`"Type":"Pass","Next":1`), `"Next": must be a string`},
		"End not a boolean":     {oneState(`"Type":"Pass","End":"yes"`), `"End": must be true or false, not a string`},
		"Next dangles":          {states(`"S":{"Type":"Pass","Next":"X"}`), `state "S": there is no state "X" to go to`},
		"Default dangles":       {oneState(`"Type":"Choice","Default":"X","Choices":[{"Variable":"$.a","IsNull":true,"Next":"S"}]`), `there is no state "X" to go to`},
		"rule's Next dangles":   {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"X"}]`), `there is no state "X" to go to`},
		"Catch dangles":         {oneState(task + `,"End":true,"Catch":[{"ErrorEquals":["E"],"Next":"X"}]`), `there is no state "X" to go to`},
		"unreachable":           {states(pass + `,"T":{"Type":"Pass","End":true}`), `state "T": cannot be reached from "S"`},
		"no end":                {states(`"S":{"Type":"Pass","Next":"T"},"T":{"Type":"Pass","Next":"S"}`), `state machine: no state that ends it can be reached`},
		"name too long":         {`{"StartAt":"S","States":{"S":{"Type":"Pass","Next":"` + strings.Repeat("é", 81) + `"},"` + strings.Repeat("é", 81) + `":{"Type":"Pass","End":true}}}`, "has 81 characters"},
		"InputPath":             {oneState(`"Type":"Pass","End":true,"InputPath":"a"`), `"InputPath": path "a": at 0: a path starts with $`},
		"OutputPath":            {oneState(`"Type":"Pass","End":true,"OutputPath":"$["`), `"OutputPath": path "$["`},
		"ResultPath not one":    {oneState(`"Type":"Pass","End":true,"ResultPath":"$.a[*]"`), `must be a reference path`},
		"ResultPath from end":   {oneState(`"Type":"Pass","End":true,"ResultPath":"$.a[-1]"`), `must be a reference path`},
		"ResultPath context":    {oneState(`"Type":"Pass","End":true,"ResultPath":"$$.a"`), `must be a reference path`},
		"template path":         {oneState(`"Type":"Pass","End":true,"Parameters":{"a":[{"b.$":"x"}]}`), `"Parameters": the field "b.$": path "x"`},
		"template not a string": {oneState(`"Type":"Pass","End":true,"Parameters":{"b.$":1}`), `the field "b.$" must hold a path or an intrinsic function, not a number`},
		"template twice":        {oneState(`"Type":"Pass","End":true,"Parameters":{"b.$":"$","b":1}`), `the field "b" is there twice`},
		"template function":     {oneState(task + `,"End":true,"ResultSelector":{"b.$":"States.Nope()"}`), `"ResultSelector": the field "b.$": intrinsic function`},
		"Resource missing":      {oneState(`"Type":"Task","End":true`), `"Resource": is missing`},
		"Resource a function":   {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:lambda:us-east-1:0:function:f"`), `is not supported; arn:aws:states:::<service>:<action> is`},
		"task token":            {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken"`), `there are no task tokens`},
		"no FunctionName":       {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"Payload":{}}`), `"Parameters": FunctionName is missing`},
		"no lambda Parameters":  {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke"`), `"Parameters": is missing`},
		"misspelt Payload":      {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","payload.$":"$"}`), `the parameter "payload.$"`},
		"two timeouts":          {oneState(task + `,"End":true,"TimeoutSeconds":1,"TimeoutSecondsPath":"$.t"`), `"TimeoutSecondsPath": excludes "TimeoutSeconds"`},
		"timeout fraction":      {oneState(task + `,"End":true,"TimeoutSeconds":1.5`), `"TimeoutSeconds": must be an integer`},
		"timeout text":          {oneState(task + `,"End":true,"TimeoutSeconds":"1"`), `"TimeoutSeconds": must be an integer`},
		"timeout path":          {oneState(task + `,"End":true,"TimeoutSecondsPath":"$..t"`), `must name one place`},
		"heartbeat too long":    {oneState(task + `,"End":true,"TimeoutSeconds":5,"HeartbeatSeconds":5`), `"HeartbeatSeconds": must be less than TimeoutSeconds`},
		"ErrorEquals missing":   {oneState(task + `,"End":true,"Retry":[{}]`), `state "S": Retry[0]: field "ErrorEquals": is missing`},
		"ErrorEquals empty":     {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":[]}]`), `"ErrorEquals": must be an array that is not empty`},
		"ErrorEquals not names": {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":[1]}]`), `must hold error names`},
		"ALL not alone":         {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["States.ALL","E"]}]`), `States.ALL must be alone, and the last one`},
		"ALL not last":          {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}]`), `States.ALL must be alone, and the last one`},
		"unknown States. error": {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["States.Timedout"]}]`), `there is no error "States.Timedout"`},
		"Retry unknown field":   {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"MaxRetries":1}]`), `Retry[0]: field "MaxRetries": is unknown here`},
		"Retry not objects":     {oneState(task + `,"End":true,"Retry":["E"]`), `Retry[0]: must be an object`},
		"MaxAttempts negative":  {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":-1}]`), `"MaxAttempts": must be an integer from 0`},
		"IntervalSeconds 0":     {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":0}]`), `"IntervalSeconds": must be an integer from 1`},
		"BackoffRate below 1":   {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"BackoffRate":0.9}]`), `"BackoffRate": must be a number of at least 1.0`},
		"BackoffRate text":      {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"BackoffRate":"2"}]`), `"BackoffRate": must be a number`},
		"MaxDelaySeconds 0":     {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"MaxDelaySeconds":0}]`), `"MaxDelaySeconds": must be an integer from 1`},
		"JitterStrategy":        {oneState(task + `,"End":true,"Retry":[{"ErrorEquals":["E"],"JitterStrategy":"HALF"}]`), `"JitterStrategy": must be FULL or NONE`},
		"Catch without Next":    {oneState(task + `,"End":true,"Catch":[{"ErrorEquals":["E"]}]`), `Catch[0]: field "Next": is missing`},
		"Wait by nothing":       {oneState(`"Type":"Wait","End":true`), `needs exactly one of the fields`},
		"Wait by two":           {oneState(`"Type":"Wait","End":true,"Seconds":1,"SecondsPath":"$.a"`), `has 2`},
		"Wait negative":         {oneState(`"Type":"Wait","End":true,"Seconds":-1`), `"Seconds": must be an integer from 0`},
		"Wait timestamp":        {oneState(`"Type":"Wait","End":true,"Timestamp":"2026-01-02"`), `is not a timestamp like`},
		"Wait small t":          {oneState(`"Type":"Wait","End":true,"Timestamp":"2026-01-02t03:04:05z"`), `is not a timestamp like`},
		"Fail twice":            {oneState(`"Type":"Fail","Error":"E","ErrorPath":"$.e"`), `"ErrorPath": excludes "Error"`},
		"Fail path":             {oneState(`"Type":"Fail","CausePath":"e"`), `"CausePath": path "e"`},
		"Fail function":         {oneState(`"Type":"Fail","CausePath":"States.Array(1)"`), `States.Array does not give a string here`},
		"Choices missing":       {oneState(`"Type":"Choice","Default":"S"`), `"Choices": is missing`},
		"Choices empty":         {oneState(`"Type":"Choice","Choices":[]`), `must be an array that is not empty`},
		"Default empty":         {oneState(`"Type":"Choice","Default":"","Choices":[{"Variable":"$.a","IsNull":true,"Next":"S"}]`), `"Default": is empty`},
		"rule without Next":     {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true}]`), `Choices[0]: field "Next": is missing`},
		"rule without Variable": {oneState(`"Type":"Choice","Choices":[{"IsNull":true,"Next":"S"}]`), `"Variable": is missing`},
		"rule without operator": {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","Next":"S"}]`), `needs exactly one operator, has 0`},
		"rule of two operators": {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"IsPresent":true,"Next":"S"}]`), `needs exactly one operator, has 2`},
		"misspelt operator":     {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","StringEqual":"x","Next":"S"}]`), `"StringEqual"`},
		"operand of wrong type": {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":"1","Next":"S"}]`), `"NumericEquals": must not be a string`},
		"operand no timestamp":  {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","TimestampEquals":"now","Next":"S"}]`), `"TimestampEquals": must not be`},
		"operand no boolean":    {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":"true","Next":"S"}]`), `"IsPresent": must be true or false`},
		"operand no path":       {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","StringEqualsPath":"x","Next":"S"}]`), `"StringEqualsPath": path "x"`},
		"pattern escape":        {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","StringMatches":"a\\b","Next":"S"}]`), `a backslash stands only before * and \`},
		"Next in a nested rule": {oneState(`"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","IsNull":true,"Next":"S"},"Next":"S"}]`), `Choices[0]: Not: field "Next": is unknown here`},
		"And of nothing":        {oneState(`"Type":"Choice","Choices":[{"And":[],"Next":"S"}]`), `"And": must be an array that is not empty`},
		"Not of a list":         {oneState(`"Type":"Choice","Choices":[{"Not":[],"Next":"S"}]`), `Not: must be an object`},
		"rules nested too deep": {oneState(`"Type":"Choice","Choices":[{` + strings.Repeat(`"Not":{`, 40) + `"Variable":"$.a","IsNull":true` + strings.Repeat("}", 40) + `,"Next":"S"}]`), `nested more than 32 deep`},
		"JSONata condition":     {oneState(`"Type":"Choice","Choices":[{"Condition":"{% true %}","Next":"S"}]`), `needs exactly one operator`},
		"no Branches":           {oneState(`"Type":"Parallel","End":true`), `"Branches": is missing`},
		"branch not an object":  {oneState(`"Type":"Parallel","End":true,"Branches":[1]`), `Branches[0]: must be an object`},
		"branch to outside":     {states(`"S":{"Type":"Parallel","Next":"T","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","Next":"T"}}}]},"T":{"Type":"Succeed"}`), `state "B": there is no state "T" to go to`},
		"name used twice":       {oneState(`"Type":"Parallel","End":true,"Branches":[{"StartAt":"S","States":{` + pass + `}}]`), `state "S": there is another state of this name`},
		"no ItemProcessor":      {oneState(`"Type":"Map","End":true`), `"ItemProcessor": is missing`},
		"mode of a Map":         {oneState(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"SPREAD","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), `"Mode": "SPREAD" is unknown`},
		"ItemReader":            {oneState(`"Type":"Map","End":true,"ItemReader":{},"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), `"ItemReader": is unknown here`},
		"ItemProcessor not one": {oneState(`"Type":"Map","End":true,"ItemProcessor":1`), `ItemProcessor: must be an object`},
		"ItemsPath":             {oneState(`"Type":"Map","End":true,"ItemsPath":"$.a[*]","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), `"ItemsPath": path "$.a[*]": must name one place`},
		"ProcessorConfig":       {oneState(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":"INLINE","StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), `ProcessorConfig: must be an object`},
		"MaxConcurrency twice":  {oneState(`"Type":"Map","End":true,"MaxConcurrency":1,"MaxConcurrencyPath":"$.a","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), `"MaxConcurrencyPath": excludes`},
	} {
		if m, err := Parse([]byte(c.definition)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want %s", name, m, err, c.want)
		}
	}
}

func TestParseReportsEverything(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte(`{"StartAt":"S","States":{"S":{"Type":"Pass","Next":"X","Foo":1},"T":{"Type":"Wait"}}}`))
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("got %v", err)
	}
}

func TestMachineTellsAboutItself(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(`{"Comment":"c","StartAt":"A","QueryLanguage":"JSONPath","Version":"1.0","States":{
		"A":{"Type":"Task","Resource":"arn:aws:states:::test:work","Next":"B"},
		"B":{"Type":"Map","End":true,"Iterator":{"StartAt":"C","States":{
			"C":{"Type":"Task","Resource":"arn:aws:states:::test:work","Next":"D"},
			"D":{"Type":"Task","Resource":"arn:aws:states:::other:work","End":true}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Comment() != "c" || !slices.Equal(m.States(), []string{"A", "B"}) ||
		!slices.Equal(m.Resources(), []string{testResource, "arn:aws:states:::other:work"}) {
		t.Errorf("got %q %q %q", m.Comment(), m.States(), m.Resources())
	}
	x := &Executor{Runners: Runners{testResource: echo}}
	if err := x.Check(m); err == nil || !strings.Contains(err.Error(), "arn:aws:states:::other:work") {
		t.Errorf("Check: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(oneState(`"Type":"Pass","End":true,"Parameters":{"a.$":"States.UUID()"}`))
	f.Add(oneState(`"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsNull":true}],"Next":"S"}]`))
	f.Add(oneState(`"Type":"Map","End":true,"Iterator":{"StartAt":"P","States":{"P":{"Type":"Fail"}}}`))
	f.Add(oneState(`"Type":"Task","Resource":"arn:aws:states:::a:b","End":true,"Retry":[{"ErrorEquals":["States.ALL"]}]`))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse([]byte(text))
		if err != nil {
			return
		}
		for _, name := range m.flow.names {
			for _, target := range m.flow.states[name].targets() {
				if m.flow.states[target] == nil {
					t.Fatalf("%q leads to %q, which is not there", name, target)
				}
			}
		}
	})
}
