package asl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProjectDefinitions keeps what this package knows in step with the definitions that are deployed.
func TestProjectDefinitions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../statemachine/*.asl.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse([]byte(strings.ReplaceAll(string(text), "${Partition}", "aws")))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else if len(m.flow.states) < 5 {
			t.Errorf("%s: %d states", file, len(m.flow.states))
		}
	}
}

// TestRefusals are definitions that are wrong, or that use what is not known here; each error names it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	read := mapState(``)
	for name, c := range map[string]struct{ definition, want string }{
		"not JSON":               {`{`, "unexpected end of JSON"},
		"no object":              {`[]`, "must be an object: json: cannot unmarshal array"},
		"nothing":                {`{}`, `"StartAt": there is no state ""`},
		"no states":              {`{"StartAt":"S","States":{}}`, `"StartAt": there is no state "S"`},
		"states of another kind": {`{"StartAt":"S","States":1}`, `field "States": json: cannot unmarshal number`},
		"a state that is none":   {`{"StartAt":"S","States":{"S":1}}`, `state "S": must be an object`},
		"End is false":           {oneState(`"Type":"Pass","End":false`), `needs "Next" or "End": true`},
		"empty Next":             {oneState(`"Type":"Pass","Next":""`), `"Next": is empty`},
		"End is a text":          {oneState(`"Type":"Pass","End":"yes"`), `"End": json: cannot unmarshal string`},
		"empty Default":          {oneState(`"Type":"Choice","Default":"","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"S"}]`), `"Default": is empty`},
		"rule of no variable":    {oneState(`"Type":"Choice","Choices":[{"IsPresent":true,"Next":"S"}]`), `"Variable": is missing`},
		"pattern of a number":    {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","StringMatches":1,"Next":"S"}]`), `"StringMatches": json: cannot unmarshal number`},
		"writer of no place":     {strings.Replace(mapState(``), `"Parameters":{"Bucket.$":"$.b","Prefix":"p"}`, `"Parameters":1`, 1), "Bucket is needed"},
		"unknown start":          {`{"StartAt":"X","States":{"S":{"Type":"Succeed"}}}`, `"StartAt": there is no state "X"`},
		"unknown target":         {oneState(`"Type":"Pass","Next":"X"`), `there is no state "X" to go to`},
		"no Next":                {oneState(`"Type":"Pass"`), `needs "Next" or "End"`},
		"End and Next":           {oneState(`"Type":"Pass","End":true,"Next":"S"`), `needs "Next" or "End": true, and not both`},
		"long name":              {`{"StartAt":"S","States":{"` + strings.Repeat("S", 81) + `":{"Type":"Succeed"}}}`, "81 characters"},
		"JSONata":                {`{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Succeed"}}}`, `"QueryLanguage": is not supported here`},
		"unknown type":           {oneState(`"Type":"Parallel","End":true`), `"Parallel" is not supported`},
		"unknown field":          {oneState(`"Type":"Pass","End":true,"Result":1`), `"Result": is not supported here`},
		"InputPath":              {oneState(work + `,"End":true,"InputPath":"$.a"`), `"InputPath": is not supported here`},
		"heartbeat":              {oneState(work + `,"End":true,"HeartbeatSeconds":1`), `"HeartbeatSeconds": is not supported here`},
		"variables":              {oneState(`"Type":"Pass","End":true,"Assign":{}`), `"Assign": is not supported here`},
		"unknown resource":       {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::sqs:sendMessage"`), `"arn:aws:states:::sqs:sendMessage" is not supported`},
		"misspelt parameter":     {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payloda":1}`), `the parameter "Payloda" is not supported`},
		"no function":            {oneState(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"Payload":1}`), "FunctionName is missing"},
		"timeout":                {oneState(work + `,"End":true,"TimeoutSeconds":0`), `"TimeoutSeconds": must be an integer from 1`},
		"timestamp":              {oneState(`"Type":"Wait","End":true,"Timestamp":"2026-01-02T03:04:05Z"`), `"Timestamp": is not supported here`},
		"wait for nothing":       {oneState(`"Type":"Wait","End":true`), "needs Seconds or SecondsPath"},
		"wait twice":             {oneState(`"Type":"Wait","End":true,"Seconds":1,"SecondsPath":"$.s"`), `"SecondsPath": excludes "Seconds"`},
		"path with an index":     {oneState(`"Type":"Succeed","OutputPath":"$.a[0]"`), `path "$.a[0]": only $ and names after dots`},
		"path with a wildcard":   {oneState(`"Type":"Succeed","OutputPath":"$.*"`), "only $ and names after dots"},
		"path with a filter":     {oneState(`"Type":"Succeed","OutputPath":"$..a[?(@.b)]"`), "only $ and names after dots"},
		"context member":         {oneState(`"Type":"Succeed","OutputPath":"$$.State.Name"`), `only $$.Execution is supported`},
		"ResultPath to context":  {oneState(`"Type":"Pass","End":true,"ResultPath":"$$.Execution.Input"`), "must lead into the input"},
		"unknown function":       {oneState(`"Type":"Pass","End":true,"Parameters":{"x.$":"States.UUID()"}`), `the function States.UUID is not supported`},
		"arguments":              {oneState(`"Type":"Pass","End":true,"Parameters":{"x.$":"States.MathAdd($.a)"}`), "takes 2 arguments"},
		"nested functions":       {oneState(`"Type":"Pass","End":true,"Parameters":{"x.$":"States.JsonToString(States.MathAdd($.a, 1))"}`), "neither a path nor an integer"},
		"no call":                {oneState(`"Type":"Pass","End":true,"Parameters":{"x.$":"States.MathAdd"}`), "not a call of a function"},
		"no expression":          {oneState(`"Type":"Pass","End":true,"Parameters":{"x.$":1}`), `"x.$" must hold a path or an intrinsic function`},
		"a field twice":          {oneState(`"Type":"Pass","End":true,"Parameters":{"x":1,"x.$":"$"}`), `"x" is there twice`},
		"Fail by a number":       {oneState(`"Type":"Fail","CausePath":"States.MathAdd(1, 2)"`), "does not give a string here"},
		"operator":               {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","NumericLessThan":1,"Next":"S"}]`), `"NumericLessThan": is not supported here`},
		"Not":                    {oneState(`"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","IsNull":true},"Next":"S"}]`), `"Not": is not supported here`},
		"no operator":            {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","Next":"S"}]`), "needs exactly one operator"},
		"Next within And":        {oneState(`"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsPresent":true,"Next":"S"}],"Next":"S"}]`), `"Next": is not supported within And`},
		"two operators":          {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsString":true,"IsPresent":true,"Next":"S"}]`), "has 2"},
		"no number":              {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":"1","Next":"S"}]`), `"NumericEquals": json: cannot unmarshal string`},
		"escaped pattern":        {oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","StringMatches":"\\*","Next":"S"}]`), "backslash is not supported"},
		"no choices":             {oneState(`"Type":"Choice"`), `"Choices": is missing`},
		"unknown error":          {oneState(work + `,"End":true,"Retry":[{"ErrorEquals":["States.Tiemout"]}]`), `there is no error "States.Tiemout"`},
		"ALL not last":           {oneState(work + `,"End":true,"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}]`), "must be alone, and the last one"},
		"BackoffRate":            {oneState(work + `,"End":true,"Retry":[{"ErrorEquals":["E"],"BackoffRate":0.5}]`), "at least 1.0"},
		"inline Map":             {strings.Replace(read, "DISTRIBUTED", "INLINE", 1), `"INLINE"] is not supported`},
		"EXPRESS":                {strings.Replace(read, "STANDARD", "EXPRESS", 1), `"ExecutionType":"EXPRESS" "Mode":"DISTRIBUTED"] is not supported`},
		"no Label":               {strings.Replace(read, `"Label":"L",`, ``, 1), `"Label": must be there`},
		"label":                  {strings.Replace(read, `"Label":"L"`, `"Label":"a b"`, 1), "without white space"},
		"ItemBatcher":            {mapState(`"ItemBatcher":{"MaxItemsPerBatch":1},`), `"ItemBatcher": is not supported here`},
		"ItemsPath":              {mapState(`"ItemsPath":"$.l",`), `"ItemsPath": is not supported here`},
		"CSV":                    {strings.Replace(read, `"InputType":"JSON"`, `"InputType":"CSV"`, 1), `"CSV"] is not supported`},
		"listing a bucket":       {strings.Replace(read, "getObject", "listObjectsV2", 1), `"arn:aws:states:::s3:listObjectsV2" is not supported`},
		"concurrency":            {mapState(`"MaxConcurrency":10001,`), "must be an integer from 0 to 10000"},
		"percentage":             {mapState(`"ToleratedFailurePercentage":100.1,`), "must be a number from 0 to 100"},
		"Map in a Map":           {strings.Replace(read, `"I":{"Type":"Succeed"}`, strings.TrimSuffix(strings.TrimPrefix(strings.NewReplacer(`"S":`, `"I":`, `"I":{"Type":"Succeed"}`, `"J":{"Type":"Succeed"}`, `"StartAt":"I"`, `"StartAt":"J"`).Replace(read), `{"StartAt":"S","States":{`), `}}`), 1), "within a Map state is not supported"},
	} {
		if _, err := Parse([]byte(c.definition)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
	if err := (&Executor{}).Check(parse(t, read)); err == nil || !strings.Contains(err.Error(), "there is no S3") {
		t.Errorf("without S3: %v", err)
	}
}

// TestAllProblemsAtOnce: one attempt shows everything that is wrong.
func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte(oneState(`"Type":"Pass","Next":"X","Result":1,"OutputPath":"$["`)))
	for _, want := range []string{`"X"`, `"Result"`, `"OutputPath"`} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
