package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const oneTask = `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,
	"Parameters":{"FunctionName":"${Function}","Payload.$":"$"},"OutputPath":"$.Payload"}}}`

func writeDefinition(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.asl.json")
	if err := os.WriteFile(path, []byte(oneTask), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// call sends one request of the AWS JSON 1.0 protocol.
func call(t *testing.T, endpoint, action, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStepfunctionsCommand(t *testing.T) {
	t.Parallel()
	called := make(chan string, 1)
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r.URL.Path
		_, _ = io.Copy(w, r.Body)
	}))
	defer lambda.Close()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- cmdStepfunctions(ctx, []string{
			"-lambda", lambda.URL, "-machine", "m=" + writeDefinition(t), "-substitute", "Function=work",
		}, in, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Endpoint      string
		StateMachines map[string]string
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	started := call(t, ready.Endpoint, "StartExecution", `{"stateMachineArn":"`+ready.StateMachines["m"]+`"}`)
	if !strings.Contains(started, `"executionArn":"arn:aws:states:us-east-1:000000000000:execution:m:`) {
		t.Errorf("got %s", started)
	}
	if path := <-called; path != "/2015-03-31/functions/work/invocations" {
		t.Errorf("called %s", path)
	}
	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestStepfunctionsCommandRefuses(t *testing.T) {
	t.Parallel()
	definition := writeDefinition(t)
	right := []string{"-lambda", "http://127.0.0.1:1", "-machine", "m=" + definition, "-substitute", "Function=f"}
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"help":            {[]string{"-h"}, 0, "-machine"},
		"no arguments":    {nil, 2, "-lambda and at least one -machine are needed"},
		"unknown flag":    {[]string{"-nope"}, 2, "-nope"},
		"not a pair":      {append(right, "-machine", "m"), 2, "must be name=value"},
		"more":            {append(right, "x"), 2, "nothing else is taken"},
		"scale 0":         {append(right, "-time-scale", "0"), 2, "greater than 0"},
		"not loopback":    {append(right, "-addr", "0.0.0.0:0"), 2, "not an address of this machine alone"},
		"no file":         {append(right[:2:2], "-machine", "m=none"), 1, "no such file"},
		"no substitution": {right[:4:4], 1, "no substitution for ${Function}"},
		"bad machine":     {append(right[:2:2], "-machine", "a b="+definition, "-substitute", "Function=f"), 1, "not a valid name"},
	} {
		var stderr strings.Builder
		if status := cmdStepfunctions(t.Context(), c.args, io.Discard, &stderr); status != c.status || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: status %d, %s", name, status, stderr.String())
		}
	}
}
