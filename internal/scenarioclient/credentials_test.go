package scenarioclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	p, err := credentials(env("SCENARIO_API_KEY", "k", "SCENARIO_API_SECRET", "s", "SCENARIO_SECRET_ARN", "arn"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := p.Credentials(t.Context(), false); err != nil || c != (scenario.Credentials{Key: "k", Secret: "s"}) {
		t.Errorf("got another pair, or %v", err)
	}
	for name, c := range map[string]struct {
		env  func(string) string
		want string
	}{
		"nothing":     {env(), "no Scenario credentials"},
		"key only":    {env("SCENARIO_API_KEY", "k", "SCENARIO_SECRET_ARN", "arn"), "set both"},
		"secret only": {env("SCENARIO_API_SECRET", "s"), "set both"},
	} {
		if _, err := credentials(c.env); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// secretsManager answers as the service does; the real SDK client asks it.
func secretsManager(t *testing.T, answer http.HandlerFunc) scenario.CredentialsProvider {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	p, err := credentials(env("SCENARIO_SECRET_ARN", "arn:secret"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSecretIsReadOnceAndAgainAfterARefusal(t *testing.T) {
	var reads atomic.Int32
	p := secretsManager(t, func(w http.ResponseWriter, r *http.Request) {
		n := reads.Add(1)
		fmt.Fprintf(w, `{"ARN":"arn:secret","SecretString":"{\"apiKey\":\"k%d\",\"apiSecret\":\"s\"}"}`, n)
	})
	for i, c := range []struct {
		refresh bool
		key     string
	}{{false, "k1"}, {false, "k1"}, {true, "k2"}, {false, "k2"}} {
		got, err := p.Credentials(t.Context(), c.refresh)
		if err != nil || got.Key != c.key {
			t.Errorf("call %d: got the wrong key, or %v; want %s", i, err, c.key)
		}
	}
	if reads.Load() != 2 {
		t.Errorf("read %d times, want 2", reads.Load())
	}
}

func TestSecretThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		body      string
		transient bool
	}{
		"denied":       {400, `{"__type":"AccessDeniedException","Message":"no"}`, false},
		"not there":    {400, `{"__type":"ResourceNotFoundException","Message":"no"}`, false},
		"throttled":    {400, `{"__type":"ThrottlingException","Message":"slow down"}`, true},
		"server error": {500, `{"__type":"InternalServiceError","Message":"oops"}`, true},
		"not JSON":     {200, `{"SecretString":"hunter2"}`, false},
		"no secret":    {200, `{"SecretString":"{\"apiKey\":\"hunter2\"}"}`, false},
		"binary":       {200, `{"SecretBinary":"aHVudGVyMg=="}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := secretsManager(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := p.Credentials(t.Context(), false)
			var failed *scenario.Error
			if (archive.NameOf(err) == archive.Misconfigured) == c.transient {
				t.Errorf("got %T: %v", err, err)
			}
			if c.transient && (!errors.As(err, &failed) || failed.Kind != scenario.KindUnavailable) {
				t.Errorf("got %T: %v, want KindUnavailable", err, err)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}
