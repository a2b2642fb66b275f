package scenario

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
)

const (
	opLaunch = "launch archive"
	opJob    = "get job"
	opCancel = "cancel job"
	opAssets = "get assets"
	opFind   = "find jobs"

	opEstimate = "estimate archive"
)

// A call is one call of the API, however often it is tried.
type call struct {
	op, projectID string
	path          string     // after the base URL, escaped
	query         url.Values // beside the project
	body          []byte     // JSON; a call that has one is a POST, any other one a GET
	// launch: each arrival makes a job, so only what proves that there was none is followed by another attempt.
	launch bool
	// maxBody bounds the answer's body, in bytes; 0: the default.
	maxBody int64
	// read takes the body of a 2xx answer. An error means that the answer cannot be read.
	read func(answer) error
}

func (call call) method() string {
	if call.body != nil {
		return http.MethodPost
	}
	return http.MethodGet
}

// fetch makes a call and gives what read makes of the body of its 2xx answer. An error of read means that the answer cannot
// be read. A body that is not nil is sent as JSON.
func fetch[T any](ctx context.Context, c *Client, call call, body any, read func(answer) (T, error)) (T, error) {
	var result, none T
	call.read = func(got answer) (err error) {
		result, err = read(got)
		return err
	}
	if body != nil {
		var err error
		if call.body, err = json.Marshal(body); err != nil {
			return none, &Error{Op: call.op, Kind: KindInvalid, Err: err}
		}
	}
	if err := c.do(ctx, call); err != nil {
		return none, err
	}
	return result, nil
}

func (c *Client) do(ctx context.Context, call call) error {
	credentials, err := c.askCredentials(ctx, call.op, false)
	if err != nil {
		return err
	}
	refreshed := false
	for attempt := 1; ; attempt++ {
		failure := c.try(ctx, call, credentials, attempt)
		switch {
		case failure == nil:
			return nil
		case failure.StatusCode == http.StatusUnauthorized && !refreshed:
			refreshed = true
			fresh, err := c.askCredentials(ctx, call.op, true)
			if err != nil {
				return err
			}
			if fresh == credentials {
				return failure
			}
			credentials = fresh
			attempt-- // the attempt with other credentials is not one of those that MaxAttempts allows
		case failure.Kind != KindRateLimited && failure.Kind != KindUnavailable:
			return failure
		case !c.wait(ctx, attempt, failure.RetryAfter):
			if err := ctx.Err(); err != nil {
				return &Error{Op: call.op, Kind: KindCanceled, Err: err}
			}
			return failure
		}
	}
}

// askCredentials asks the provider; what it returns is an *Error.
func (c *Client) askCredentials(ctx context.Context, op string, refresh bool) (Credentials, error) {
	credentials, err := c.options.Credentials.Credentials(ctx, refresh)
	switch {
	case err != nil:
		return Credentials{}, providerError(ctx, op, err)
	case credentials.Key == "" || credentials.Secret == "":
		return Credentials{}, &Error{Op: op, Kind: KindUnauthorized, Reason: "the API key or its secret is empty"}
	}
	return credentials, nil
}

func (c *Client) url(call call) *url.URL {
	u := c.base.JoinPath(call.path)
	query := url.Values{}
	maps.Copy(query, call.query)
	if call.projectID != "" {
		query.Set("projectId", call.projectID)
	}
	u.RawQuery = query.Encode()
	return u
}
