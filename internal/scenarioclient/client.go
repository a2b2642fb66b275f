// Package scenarioclient makes the functions' Scenario client from their environment, with the API key and secret that are
// there or in AWS Secrets Manager.
package scenarioclient

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// A function is paid by the millisecond, and the state machine waits for free: so the client tries again only where
// a moment helps, and leaves longer waits to the state machine. Three attempts of 15 s and the waits between them
// stay under the functions' own limit of a minute.
const (
	maxAttempts    = 3
	requestTimeout = 15 * time.Second
	maxRetryWait   = 3 * time.Second
)

// readTimeout bounds one reading of the secret, the SDK's retries included.
const readTimeout = 10 * time.Second

// ErrNoCredentials says that the environment names no credentials at all.
var ErrNoCredentials = errors.New("no Scenario credentials: set SCENARIO_API_KEY and SCENARIO_API_SECRET, " +
	"or SCENARIO_SECRET_ARN")

// FromEnvironment makes a client for SCENARIO_BASE_URL (the public API when unset) with the deployment's credentials
// and the launch endpoint that SCENARIO_LAUNCH_ENDPOINT names: archive, download, or unset for whichever is there.
func FromEnvironment(getenv func(string) string) (*scenario.Client, error) {
	c, err := credentials(getenv)
	if err != nil {
		return nil, err
	}
	return scenario.New(scenario.Options{
		BaseURL:        getenv("SCENARIO_BASE_URL"),
		Credentials:    c,
		Endpoint:       scenario.Endpoint(getenv("SCENARIO_LAUNCH_ENDPOINT")),
		MaxAttempts:    maxAttempts,
		MaxRetryWait:   maxRetryWait,
		RequestTimeout: requestTimeout,
	})
}

// credentials gives those of SCENARIO_API_KEY and SCENARIO_API_SECRET, or those in the secret that SCENARIO_SECRET_ARN
// names.
func credentials(getenv func(string) string) (scenario.CredentialsProvider, error) {
	key, keySecret, arn := getenv("SCENARIO_API_KEY"), getenv("SCENARIO_API_SECRET"), getenv("SCENARIO_SECRET_ARN")
	switch {
	case key != "" && keySecret != "":
		return scenario.StaticCredentials(key, keySecret), nil
	case key != "" || keySecret != "":
		return nil, errors.New("only one of SCENARIO_API_KEY and SCENARIO_API_SECRET is set; set both")
	case arn != "":
		return &secret{arn: arn}, nil
	default:
		return nil, ErrNoCredentials
	}
}

// secret gives the credentials kept in a secret: a JSON object {"apiKey": "…", "apiSecret": "…"}. It is read at the first
// use and kept until Scenario refuses it, not at the start, where it would lengthen every cold start.
type secret struct {
	arn string

	mu     sync.Mutex
	client *secretsmanager.Client
	known  scenario.Credentials
}

// Credentials reads the secret when it is not known yet, or when refresh says that Scenario refused the known one,
// which is how a rotated secret is noticed.
func (s *secret) Credentials(ctx context.Context, refresh bool) (scenario.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != (scenario.Credentials{}) && !refresh {
		return s.known, nil
	}
	found, err := s.read(ctx)
	if err != nil {
		return scenario.Credentials{}, s.unreadable(err)
	}
	s.known = found
	return found, nil
}

// unreadable distinguishes what passes by itself (a throttle, the network) from what needs a change of the deployment.
func (s *secret) unreadable(err error) error {
	var answer *smithyhttp.ResponseError
	if errors.Is(err, errContent) || errors.As(err, &answer) && answer.HTTPStatusCode() < 500 &&
		!retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool() {
		return archive.NewError(archive.Misconfigured, err, "the secret %s with Scenario's credentials cannot "+
			"be used: %v. Check SCENARIO_SECRET_ARN, the secret and the function's permissions", s.arn, err)
	}
	return &scenario.Error{Op: "read the secret", Kind: scenario.KindUnavailable, Err: err}
}

func (s *secret) read(ctx context.Context) (scenario.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if s.client == nil {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return scenario.Credentials{}, err
		}
		s.client = secretsmanager.NewFromConfig(cfg)
	}
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.arn})
	if err != nil {
		return scenario.Credentials{}, err
	}
	return parse(aws.ToString(out.SecretString))
}

var errContent = errors.New(`it must be a JSON object with "apiKey" and "apiSecret"`)

// parse never repeats any of the secret's text: json's own errors quote it.
func parse(text string) (scenario.Credentials, error) {
	var fields struct {
		APIKey    string `json:"apiKey"`
		APISecret string `json:"apiSecret"`
	}
	if err := json.Unmarshal([]byte(text), &fields); err != nil || fields.APIKey == "" || fields.APISecret == "" {
		return scenario.Credentials{}, errContent
	}
	return scenario.Credentials{Key: fields.APIKey, Secret: fields.APISecret}, nil
}
