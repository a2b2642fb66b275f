package scenario

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// DefaultBaseURL is the public API's base URL.
const DefaultBaseURL = "https://api.cloud.scenario.com/v1"

// What zero values of Options mean.
const (
	defaultMaxAttempts    = 4
	defaultMaxRetryWait   = 20 * time.Second
	defaultRequestTimeout = 30 * time.Second
	defaultUserAgent      = "scenario-archive"
)

// Options configure a [Client]. Credentials are required; every other zero value means its default.
type Options struct {
	// BaseURL is the API's base URL, with its version: https, or http for a loopback host. Default: DefaultBaseURL.
	BaseURL string
	// Credentials provide the API key and secret. Required.
	Credentials CredentialsProvider
	// Endpoint is how jobs are launched. Default: EndpointAuto.
	Endpoint Endpoint
	// HTTPClient makes the calls, except that redirects are never followed. Default: one with a timeout for every phase
	// of a call, which makes each launch on a connection of its own.
	HTTPClient *http.Client
	// MaxAttempts is how often a call is tried in all, the first time included. Default: 4.
	MaxAttempts int
	// MaxRetryWait is the longest wait between two attempts. A longer Retry-After is returned as an error, not slept.
	// Default: 20 s.
	MaxRetryWait time.Duration
	// RequestTimeout bounds one attempt, from connecting to the end of the answer's body. Default: 30 s.
	RequestTimeout time.Duration
	// UserAgent is the User-Agent header. Default: "scenario-archive".
	UserAgent string
	// Logger gets a debug record for each attempt: method, path, status, duration, attempt. Default: none.
	Logger *slog.Logger
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	options    Options // with their defaults
	base       *url.URL
	repeatable *http.Client // for calls that may be repeated
	launches   *http.Client // for launches; see newHTTPClients

	// learned is the Endpoint that answered after the other one was found missing; unset until then.
	learned atomic.Value

	// Replaced by tests.
	sleep  func(context.Context, time.Duration) error
	random func(time.Duration) time.Duration // in [0, n)
	now    func() time.Time
}

// New makes a client. The error says which option is wrong; it is not an [*Error].
func New(o Options) (*Client, error) {
	if o.Credentials == nil {
		return nil, errors.New("scenario: Options.Credentials is not set")
	}
	base, err := parseBaseURL(cmp.Or(o.BaseURL, DefaultBaseURL))
	if err != nil {
		return nil, err
	}
	switch o.Endpoint {
	case EndpointAuto, EndpointArchive, EndpointDownload:
	default:
		return nil, errors.New(`scenario: Options.Endpoint is none of "", "archive", "download"`)
	}
	if o.MaxAttempts < 0 || o.MaxRetryWait < 0 || o.RequestTimeout < 0 {
		return nil, errors.New("scenario: Options has a negative number")
	}
	o.MaxAttempts = cmp.Or(o.MaxAttempts, defaultMaxAttempts)
	o.MaxRetryWait = cmp.Or(o.MaxRetryWait, defaultMaxRetryWait)
	o.RequestTimeout = cmp.Or(o.RequestTimeout, defaultRequestTimeout)
	o.UserAgent = cmp.Or(o.UserAgent, defaultUserAgent)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	c := &Client{options: o, base: base, sleep: sleep, random: rand.N[time.Duration], now: time.Now}
	c.repeatable, c.launches = newHTTPClients(o.HTTPClient)
	return c, nil
}

// sleep waits, or returns the context's error as soon as it ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
