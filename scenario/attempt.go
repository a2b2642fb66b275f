package scenario

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// missingToken is how API Gateway names the error of a route that does not exist: status 403, and the message "Missing
// Authentication Token". That of a key which is refused has another name.
const missingToken = "MissingAuthenticationTokenException"

// maxBody bounds an answer. A status of a 1000-asset job is well below 100 KB.
const maxBody = 2 << 20

// answer is what the API said, its body read.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration
	clean      cleaner
	// noRoute: the gateway before the API knows no such path.
	noRoute bool
}

// try makes one attempt. The error's kind is KindRateLimited or KindUnavailable only if another one is safe.
func (c *Client) try(ctx context.Context, call call, credentials Credentials, attempt int) *Error {
	start := c.now()
	got, maybeSent, err := c.send(ctx, call, credentials)
	c.options.Logger.LogAttrs(ctx, slog.LevelDebug, "scenario call",
		slog.String("method", call.method()), slog.String("path", c.url(call).Path), slog.Int("status", got.status),
		slog.Duration("duration", c.now().Sub(start)), slog.Int("attempt", attempt))
	success := got.status >= 200 && got.status <= 299
	switch {
	case err != nil && (got.status == 0 || success): // of a refusal, the status is enough
		return lostAnswer(ctx, call, got.status, maybeSent, err)
	case !success:
		return refusal(call, got)
	}
	if err := call.read(got); err != nil {
		return unreadable(call, got, err)
	}
	return nil
}

// send gives what came back, and whether something may have been sent.
func (c *Client) send(ctx context.Context, call call, credentials Credentials) (answer, bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.RequestTimeout,
		fmt.Errorf("no complete answer within %v", c.options.RequestTimeout))
	defer cancel()
	var trace connectionTrace
	got := answer{clean: newCleaner(credentials)}
	request, err := c.request(trace.watch(ctx), call, credentials)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return got, false, withoutURL(err)
	}
	client := c.repeatable
	if call.launch {
		client = c.launches
	}
	response, err := client.Do(request)
	if err != nil {
		return got, trace.maybeSent(), timeoutCause(ctx, withoutURL(err))
	}
	defer response.Body.Close()
	got.status = response.StatusCode
	got.retryAfter = parseRetryAfter(response.Header, c.now())
	got.noRoute = got.status == http.StatusForbidden && response.Header.Get("X-Amzn-Errortype") == missingToken
	got.body, err = readBounded(response.Body, cmp.Or(call.maxBody, maxBody))
	return got, true, timeoutCause(ctx, withoutURL(err))
}

// A connectionTrace records whether there was a connection to send on: without one, nothing was sent. A transport that
// looks for none is one that does not report (a caller's own): of that nothing is known.
type connectionTrace struct{ sought, had atomic.Bool }

func (t *connectionTrace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.had.Store(true) },
	})
}

func (t *connectionTrace) maybeSent() bool { return t.had.Load() || !t.sought.Load() }

func (c *Client) request(ctx context.Context, call call, credentials Credentials) (*http.Request, error) {
	var body io.Reader
	if call.body != nil {
		body = bytes.NewReader(call.body)
	}
	request, err := http.NewRequestWithContext(ctx, call.method(), c.url(call).String(), body)
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(credentials.Key, credentials.Secret)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.options.UserAgent)
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return body[:limit], fmt.Errorf("the answer is longer than %d MiB", limit>>20)
	}
	return body, err
}

// withoutURL takes the *url.Error away, whose text has the URL.
func withoutURL(err error) error {
	for wrapper := (*url.Error)(nil); errors.As(err, &wrapper); {
		err = wrapper.Err
	}
	return err
}

// timeoutCause says how long was waited, in place of a bare "context deadline exceeded".
func timeoutCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && ctx.Err() != nil && cause != ctx.Err() {
		return fmt.Errorf("%w: %w", cause, ctx.Err())
	}
	return err
}
