package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

func TestLambdaRunner(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", asl.MaxDataSize+1)
	for name, c := range map[string]struct {
		parameters, result, functionError string
		err                               error
		payload, errorName, cause         string
	}{
		"result":          {`{"FunctionName":"f","Payload":{"a":1}}`, `{"b":1.50}`, "", nil, `{"b":1.50}`, "", ""},
		"no result":       {`{"FunctionName":"f"}`, ``, "", nil, `null`, "", ""},
		"function error":  {`{"FunctionName":"f"}`, `{"errorMessage":"m","errorType":"JobFailed"}`, "Unhandled", nil, "", "JobFailed", `{"errorMessage":"m","errorType":"JobFailed"}`},
		"killed":          {`{"FunctionName":"f"}`, `{"errorType":"Runtime.ExitError","errorMessage":"x"}`, "Unhandled", nil, "", "Runtime.ExitError", "x"},
		"no error type":   {`{"FunctionName":"f"}`, `{}`, "Unhandled", nil, "", "Lambda.Unknown", "Lambda did not return an error type. Returned payload: {}"},
		"not JSON":        {`{"FunctionName":"f"}`, `{`, "", nil, "", "Lambda.Unknown", "not JSON"},
		"service error":   {`{"FunctionName":"f"}`, ``, "", &asl.Error{Name: "Lambda.ServiceException", Cause: "c"}, "", "Lambda.ServiceException", "c"},
		"no connection":   {`{"FunctionName":"f"}`, ``, "", errors.New("refused"), "", "Lambda.SdkClientException", "refused"},
		"no function":     {`{"FunctionName":1}`, ``, "", nil, "", "States.Runtime", "FunctionName"},
		"empty function":  {`{"FunctionName":""}`, ``, "", nil, "", "States.Runtime", "FunctionName"},
		"too large as is": {`{"FunctionName":"f"}`, large, "", nil, large, "", ""},
	} {
		var sent string
		runner := lambdaRunner{invokerFunc(func(_ context.Context, function string, payload []byte) ([]byte, string, error) {
			sent = function + " " + string(payload)
			return []byte(c.result), c.functionError, c.err
		})}
		out, err := runner.Run(t.Context(), asl.Task{Parameters: json.RawMessage(c.parameters)})
		if c.errorName != "" {
			var e *asl.Error
			if !errors.As(err, &e) || e.Name != c.errorName || !strings.Contains(e.Cause, c.cause) {
				t.Errorf("%s: got %s, %v", name, out, err)
			}
			continue
		}
		var result struct {
			ExecutedVersion string
			Payload         json.RawMessage
			StatusCode      int
		}
		if name == "too large as is" {
			if err != nil || len(out) <= asl.MaxDataSize {
				t.Errorf("%s: got %d bytes, %v", name, len(out), err)
			}
			continue
		}
		if err := json.Unmarshal(out, &result); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(result.Payload) != c.payload || result.StatusCode != 200 || result.ExecutedVersion != "$LATEST" {
			t.Errorf("%s: got %s", name, out)
		}
		if name == "result" && sent != `f {"a":1}` || name == "no result" && sent != "f {}" {
			t.Errorf("%s: sent %s", name, sent)
		}
	}
}

func TestHTTPInvoker(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:us-east-1:000000000000:function:launch"
	var answer func(w http.ResponseWriter)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/"+function+"/invocations" || string(body) != `{"p":1}` {
			t.Errorf("got %s %s %s", r.Method, r.URL.Path, body)
		}
		answer(w)
	}))
	defer server.Close()
	failing := func(status int, kind, body string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if kind != "" {
				w.Header().Set("X-Amzn-ErrorType", kind)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer                func(w http.ResponseWriter)
		result, functionError string
		errorName, cause      string
	}{
		"result": {failing(200, "", `{"a":1}`), `{"a":1}`, "", "", ""},
		"function error": {func(w http.ResponseWriter) {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, `{}`)
		}, `{}`, "Unhandled", "", ""},
		"throttled":    {failing(429, "TooManyRequestsException", `{"Type":"User","Message":"Rate Exceeded."}`), "", "", "Lambda.TooManyRequestsException", "Rate Exceeded. (Service: AWSLambda; Status Code: 429)"},
		"server error": {failing(500, "", ``), "", "", "Lambda.ServiceException", "Internal Server Error (Service: AWSLambda; Status Code: 500)"},
		"unavailable":  {failing(503, "Whatever", `{"message":"later"}`), "", "", "Lambda.ServiceException", "later"},
		"no function":  {failing(404, "ResourceNotFoundException:http://internal", `{"Message":"Function not found"}`), "", "", "Lambda.ResourceNotFoundException", "Function not found"},
		"unnamed":      {failing(400, "", `noise`), "", "", "Lambda.AWSLambdaException", "Bad Request"},
		"too large":    {failing(200, "", strings.Repeat("x", maxAnswer+1)), "", "", "Lambda.ServiceException", "larger"},
		"cut short":    {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "10"); _, _ = io.WriteString(w, "x") }, "", "", "", "reading the answer"},
	} {
		answer = c.answer
		result, functionError, err := HTTPInvoker{Endpoint: server.URL + "/"}.Invoke(t.Context(), function, []byte(`{"p":1}`))
		var e *asl.Error
		switch {
		case c.errorName != "":
			if !errors.As(err, &e) || e.Name != c.errorName || !strings.Contains(e.Cause, c.cause) {
				t.Errorf("%s: got %v", name, err)
			}
		case c.cause != "":
			if err == nil || errors.As(err, &e) || !strings.Contains(err.Error(), c.cause) {
				t.Errorf("%s: got %v", name, err)
			}
		case err != nil || string(result) != c.result || functionError != c.functionError:
			t.Errorf("%s: got %s %s %v", name, result, functionError, err)
		}
	}
	server.Close()
	for _, endpoint := range []string{server.URL + "?token=secret", "http://[bad"} {
		if _, _, err := (HTTPInvoker{Endpoint: endpoint}).Invoke(t.Context(), function, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", endpoint, err)
		}
	}
}

func TestSubstitute(t *testing.T) {
	t.Parallel()
	values := map[string]string{"A": `q"\`, "B": "${A}"}
	value := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	got, err := Substitute([]byte(`{"a":"${A}","b":"x${B}${A}","c":"$.d","e":"${not a name}"}`), value)
	if want := `{"a":"q\"\\","b":"x${A}q\"\\","c":"$.d","e":"${not a name}"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Substitute([]byte(`"${A} ${C}"`), value); err == nil || err.Error() != "no substitution for ${C}" {
		t.Errorf("got %v", err)
	}
}
