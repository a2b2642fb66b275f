// Package credentials finds the Scenario API key and secret of a deployment: in the environment, or in AWS Secrets
// Manager.
package credentials

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

// SecretReader is the one call of Secrets Manager that is needed.
type SecretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
		...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// readTimeout bounds one reading of the secret, the SDK's retries included.
const readTimeout = 10 * time.Second

// ErrNone says that the environment names no credentials at all.
var ErrNone = errors.New("no Scenario credentials: set SCENARIO_API_KEY and SCENARIO_API_SECRET, " +
	"or SCENARIO_SECRET_ARN")

// FromEnvironment gives the credentials of SCENARIO_API_KEY and SCENARIO_API_SECRET, or those in the secret that
// SCENARIO_SECRET_ARN names. The secret is read at the first use and kept until Scenario refuses it, not at the
// start, where it would lengthen every cold start.
func FromEnvironment(getenv func(string) string) (scenario.CredentialsProvider, error) {
	key, secret, arn := getenv("SCENARIO_API_KEY"), getenv("SCENARIO_API_SECRET"), getenv("SCENARIO_SECRET_ARN")
	switch {
	case key != "" && secret != "":
		return scenario.StaticCredentials(key, secret), nil
	case key != "" || secret != "":
		return nil, errors.New("only one of SCENARIO_API_KEY and SCENARIO_API_SECRET is set; set both")
	case arn != "":
		return &Secret{ARN: arn, Connect: connect}, nil
	default:
		return nil, ErrNone
	}
}

func connect(ctx context.Context) (SecretReader, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return secretsmanager.NewFromConfig(cfg), nil
}

// Secret gives the credentials kept in a secret: a JSON object {"apiKey": "…", "apiSecret": "…"}. It may be used by
// several goroutines.
type Secret struct {
	ARN     string
	Connect func(context.Context) (SecretReader, error)

	mu     sync.Mutex
	reader SecretReader
	known  scenario.Credentials
}

// Credentials reads the secret when it is not known yet, or when refresh says that Scenario refused the known one,
// which is how a rotated secret is noticed.
func (s *Secret) Credentials(ctx context.Context, refresh bool) (scenario.Credentials, error) {
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
func (s *Secret) unreadable(err error) error {
	var answer *smithyhttp.ResponseError
	if errors.Is(err, errContent) || errors.As(err, &answer) && answer.HTTPStatusCode() < 500 &&
		!retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool() {
		return archive.NewError(archive.Misconfigured, err, "the secret %s with Scenario's credentials cannot "+
			"be used: %v. Check SCENARIO_SECRET_ARN, the secret and the function's permissions", s.ARN, err)
	}
	return &scenario.Error{Op: "read the secret", Kind: scenario.KindUnavailable, Err: err}
}

func (s *Secret) read(ctx context.Context) (scenario.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if s.reader == nil {
		r, err := s.Connect(ctx)
		if err != nil {
			return scenario.Credentials{}, err
		}
		s.reader = r
	}
	out, err := s.reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.ARN})
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
