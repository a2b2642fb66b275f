package sfn

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// maxAnswer is the largest answer of a function that is read: Lambda's limit of 6 MiB for synchronous calls.
const maxAnswer = 6 << 20

// HTTPInvoker calls functions at an endpoint of the Lambda Invoke API.
type HTTPInvoker struct {
	Endpoint string // the URL before /2015-03-31/…
}

// Invoke calls the function and waits for its answer.
func (h HTTPInvoker) Invoke(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
	address := strings.TrimSuffix(h.Endpoint, "/") + "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payload))
	if err != nil {
		return nil, "", errors.New("the Lambda endpoint is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("calling %s: %w", function, withoutURL(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("reading the answer of %s: %w", function, withoutURL(err))
	case len(body) > maxAnswer:
		return nil, "", &asl.Error{Name: "Lambda.ServiceException", Cause: "the answer is larger than 6 MiB"}
	case resp.StatusCode != http.StatusOK:
		return nil, "", serviceFailure(resp, body)
	}
	return body, resp.Header.Get("X-Amz-Function-Error"), nil
}

// withoutURL takes the URL out of an error of net/http.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// serviceFailure names an error of Lambda itself as Step Functions does: Lambda. and the name of its exception.
func serviceFailure(resp *http.Response, body []byte) error {
	var e struct {
		Type, Message string
	}
	_ = json.Unmarshal(body, &e) // what it does not say stays empty
	name, _, _ := strings.Cut(resp.Header.Get("X-Amzn-ErrorType"), ":")
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		name = "TooManyRequestsException"
	case resp.StatusCode >= http.StatusInternalServerError:
		name = "ServiceException"
	case name == "":
		name = "AWSLambdaException"
	}
	return &asl.Error{
		Name:  "Lambda." + name,
		Cause: fmt.Sprintf("%s (Service: AWSLambda; Status Code: %d)", cmp.Or(e.Message, http.StatusText(resp.StatusCode)), resp.StatusCode),
	}
}
