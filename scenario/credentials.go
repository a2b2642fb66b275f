package scenario

import (
	"context"
	"fmt"
	"log/slog"
)

// Credentials are an API key and its secret, sent by HTTP Basic authentication. However they are printed, logged or
// encoded as JSON, the secret and the key do not show.
type Credentials struct {
	// Key is the API key, the user name of Basic authentication.
	Key string
	// Secret is the API secret, its password.
	Secret string
}

const redacted = "[REDACTED]"

// String is a redacted form.
func (c Credentials) String() string { return redacted }

// GoString is a redacted form.
func (c Credentials) GoString() string { return "scenario.Credentials{" + redacted + "}" }

// Format writes the redacted form for every verb: %d and %x would otherwise print the fields.
func (c Credentials) Format(f fmt.State, verb rune) {
	text := c.String()
	if verb == 'v' && f.Flag('#') {
		text = c.GoString()
	}
	_, _ = f.Write([]byte(text))
}

// LogValue is a redacted form.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON gives a redacted form: a struct that holds credentials may be logged as JSON.
func (c Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// A CredentialsProvider gives the credentials of the next call. It is asked at every call and so should keep what it
// read; several calls may ask at once.
//
// With refresh set, the API answered 401 to the credentials given last: the provider reads them again from where they
// are kept, because they may have been rotated. The client then tries once more, if they differ.
//
// An error of type [*Error] keeps its kind on the way to the caller (say KindUnavailable, when the store could not be
// reached); any other one becomes [KindUnauthorized].
type CredentialsProvider interface {
	Credentials(ctx context.Context, refresh bool) (Credentials, error)
}

// StaticCredentials provides the same key and secret for ever.
func StaticCredentials(key, secret string) CredentialsProvider {
	return staticCredentials{Key: key, Secret: secret}
}

type staticCredentials Credentials

func (s staticCredentials) Credentials(context.Context, bool) (Credentials, error) {
	return Credentials(s), nil
}

// Format keeps the fields out of a print of the provider, as of the credentials themselves.
func (s staticCredentials) Format(f fmt.State, verb rune) { Credentials(s).Format(f, verb) }
