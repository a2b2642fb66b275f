package lambda_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

func post(t *testing.T, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("x-amzn-RequestId") == "" {
		t.Error("an answer without x-amzn-RequestId")
	}
	return resp, string(text)
}

func TestInvokeAPI(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	functions := server.URL + "/2015-03-31/functions/"
	escapedARN := strings.ReplaceAll(s.ARN("f"), ":", "%3A")
	for _, test := range []struct {
		name, path, body string
		header           []string
		status           int
		functionError    string
		errorType        string
		contains         string
	}{
		{name: "by name", path: "f/invocations", body: `{"value":"hi"}`, status: 200, contains: `"value":"hi"`},
		{name: "by escaped ARN", path: escapedARN + "/invocations", body: `{"value":"hi"}`, status: 200, contains: `"value":"hi"`},
		{name: "no body", path: "f/invocations", status: 200, contains: `"pid"`},
		{name: "function error", path: "f/invocations", body: `{"op":"fail","value":"why"}`, status: 200,
			functionError: "Unhandled", contains: `{"errorMessage":"why","errorType":"BadRequest"}`},
		{name: "qualifier", path: "f/invocations?Qualifier=%24LATEST", body: `{}`, status: 200},
		{name: "unknown qualifier", path: "f/invocations?Qualifier=7", body: `{}`, status: 404, errorType: "ResourceNotFoundException"},
		{name: "unknown", path: "g/invocations", body: `{}`, status: 404, errorType: "ResourceNotFoundException",
			contains: `"Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"`},
		{name: "not JSON", path: "f/invocations", body: `nope`, status: 400, errorType: "InvalidRequestContentException"},
		{name: "too large", path: "f/invocations", body: `"` + strings.Repeat("x", lambda.MaxRequest) + `"`, status: 413,
			errorType: "RequestTooLargeException"},
		{name: "dry run", path: "f/invocations", header: []string{"X-Amz-Invocation-Type", "DryRun"}, status: 204},
		{name: "dry run of an unknown", path: "g/invocations", header: []string{"X-Amz-Invocation-Type", "DryRun"}, status: 404,
			errorType: "ResourceNotFoundException"},
		{name: "event to an unknown", path: "g/invocations", header: []string{"X-Amz-Invocation-Type", "Event"}, status: 404,
			errorType: "ResourceNotFoundException"},
		{name: "event that is not JSON", path: "f/invocations", body: "nope", header: []string{"X-Amz-Invocation-Type", "Event"},
			status: 400, errorType: "InvalidRequestContentException"},
		{name: "unknown type", path: "f/invocations", header: []string{"X-Amz-Invocation-Type", "Later"}, status: 400,
			errorType: "InvalidParameterValueException"},
		{name: "another operation", path: "f/configuration", status: 404, errorType: "UnknownOperationException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			resp, text := post(t, functions+test.path, test.body, test.header...)
			if resp.StatusCode != test.status || !strings.Contains(text, test.contains) {
				t.Errorf("status %d, want %d; %s", resp.StatusCode, test.status, text)
			}
			if got := resp.Header.Get("X-Amz-Function-Error"); got != test.functionError {
				t.Errorf("X-Amz-Function-Error %q, want %q", got, test.functionError)
			}
			if got := resp.Header.Get("x-amzn-ErrorType"); got != test.errorType {
				t.Errorf("x-amzn-ErrorType %q, want %q", got, test.errorType)
			}
			if test.status == 200 && resp.Header.Get("X-Amz-Executed-Version") != "$LATEST" {
				t.Error("no X-Amz-Executed-Version")
			}
		})
	}
}

func TestEventInvocationRunsInTheBackground(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	m := newMeeting(t)
	body, _ := json.Marshal(event{Op: "wait", Address: m.address()})
	resp, _ := post(t, server.URL+"/2015-03-31/functions/f/invocations", string(body), "X-Amz-Invocation-Type", "Event")
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("status %d", resp.StatusCode)
	}
	conn := <-m.arrived // it runs although the answer has been given
	_ = conn.Close()
}

func TestClosedServiceAnswersWithAServiceError(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	_ = s.Close()
	resp, text := post(t, server.URL+"/2015-03-31/functions/f/invocations", "{}")
	if resp.StatusCode != 500 || resp.Header.Get("x-amzn-ErrorType") != "ServiceException" {
		t.Errorf("status %d: %s", resp.StatusCode, text)
	}
}

func TestInvokeAPIIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	s, l := newService(t, nil)
	for host, want := range map[string]int{"evil.example": http.StatusMisdirectedRequest, "localhost:1": http.StatusForbidden} {
		r := httptest.NewRequest("POST", "/2015-03-31/functions/f/invocations", strings.NewReader("{}"))
		r.Host = host
		r.Header.Set("Origin", "https://evil.example")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d", host, w.Code)
		}
	}
	if l.text() != "" {
		t.Errorf("the function has run:\n%s", l.text())
	}
}
