package sfn

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// send is one raw request, as changed by change.
func send(s *Service, target, body string, change func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8083/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", target)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	const list = "AWSStepFunctions.ListExecutions"
	right := `{"later":1,"stateMachineArn":"` + s.MachineARN("p") + `"}`
	for name, c := range map[string]struct {
		target, body string
		change       func(r *http.Request)
		status       int
		code         string // __type
	}{
		"right":              {list, right, nil, 200, ""},
		"charset":            {list, right, func(r *http.Request) { r.Header.Set("Content-Type", contentType+"; charset=utf-8") }, 200, ""},
		"unknown action":     {"AWSStepFunctions.CreateActivity", `{}`, nil, 400, "UnknownOperationException"},
		"another service":    {"DynamoDB_20120810.ListTables", `{}`, nil, 400, "UnknownOperationException"},
		"no target":          {"", `{}`, nil, 400, "UnknownOperationException"},
		"form of a web page": {list, `{}`, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 400, "SerializationException"},
		"no content type":    {list, `{}`, func(r *http.Request) { r.Header.Del("Content-Type") }, 400, "SerializationException"},
		"not JSON":           {list, `{`, nil, 400, "SerializationException"},
		"wrong type":         {"AWSStepFunctions.DescribeExecution", `{"executionArn":1}`, nil, 400, "SerializationException"},
		"too large":          {list, `{"x":"` + strings.Repeat("x", maxBody) + `"}`, nil, 400, "SerializationException"},
		"error too long":     {"AWSStepFunctions.StopExecution", `{"error":"` + strings.Repeat("x", 257) + `"}`, nil, 400, "ValidationException"},
		"GET":                {list, ``, func(r *http.Request) { r.Method = http.MethodGet }, 404, ""},
		"another path":       {list, `{}`, func(r *http.Request) { r.URL.Path = "/x" }, 404, ""},
	} {
		w := send(s, c.target, c.body, c.change)
		var e struct {
			Type string `json:"__type"`
		}
		_ = json.Unmarshal(w.Body.Bytes(), &e)
		if w.Code != c.status || e.Type != c.code || len(w.Header().Get("x-amzn-RequestId")) != 36 {
			t.Errorf("%s: %d %s %v", name, w.Code, w.Body, w.Header())
		}
		if c.status == 200 && w.Header().Get("Content-Type") != contentType {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

// TestTimestamps pins the raw form of an answer.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	w := send(s, "AWSStepFunctions.StartExecution", `{"stateMachineArn":"`+s.MachineARN("p")+`","name":"n"}`, nil)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	if seconds, ok := out["startDate"].(float64); !ok || seconds < 1.7e9 || seconds > 1e10 || len(out) != 2 {
		t.Errorf("got %s", w.Body)
	}
	wait(t, s, out["executionArn"].(string))
	w = send(s, "AWSStepFunctions.DescribeExecution", `{"executionArn":"`+out["executionArn"].(string)+`"}`, nil)
	if body := w.Body.String(); strings.Contains(body, `"error"`) || !strings.Contains(body, `"input":"{}"`) || !strings.Contains(body, `"output":"{}"`) {
		t.Errorf("got %s", body)
	}
}
