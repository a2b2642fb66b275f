package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestCredentialsDoNotShow(t *testing.T) {
	t.Parallel()
	c := Credentials{Key: testKey, Secret: testSecret}
	inside := struct{ C Credentials }{c}
	provider := StaticCredentials(testKey, testSecret)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "c", c, "inside", inside, "pointer", &c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", c, "inside", inside)
	encoded, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(encoded), c.String(), c.GoString(), fmt.Sprint(&c)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(format, c), fmt.Sprintf(format, inside), fmt.Sprintf(format, provider))
	}
	for _, text := range texts {
		for _, secret := range []string{testKey, testSecret, fmt.Sprintf("%x", testSecret)} {
			if strings.Contains(text, secret) {
				t.Errorf("shows: %s", text)
			}
		}
		if text == "" {
			t.Error("an empty text: shows nothing of a mistake either")
		}
	}
}

// rotating provides other credentials, or an error, when asked to refresh.
type rotating struct {
	before, after Credentials
	err           error
	refreshes     int
}

func (r *rotating) Credentials(_ context.Context, refresh bool) (Credentials, error) {
	if refresh {
		r.refreshes++
		return r.after, r.err
	}
	return r.before, nil
}

func TestRotatedCredentials(t *testing.T) {
	t.Parallel()
	old, fresh := Credentials{"k", "old"}, Credentials{"k", "new"}
	const oldBasic, newBasic = "Basic azpvbGQ=", "Basic azpuZXc="
	refused, ok := scriptedAnswer{status: 401, body: `{"error":"no"}`}, scriptedAnswer{status: 200, body: guideAnswer}
	for _, test := range []struct {
		name     string
		provider *rotating
		answers  []scriptedAnswer
		sent     []string
		kind     Kind
	}{
		{"others, accepted", &rotating{before: old, after: fresh}, []scriptedAnswer{refused, ok}, []string{oldBasic, newBasic}, ""},
		{"others, refused too", &rotating{before: old, after: fresh}, []scriptedAnswer{refused}, []string{oldBasic, newBasic},
			KindUnauthorized},
		{"others, accepted after a failure", &rotating{before: old, after: fresh},
			[]scriptedAnswer{refused, {status: 429}, ok}, []string{oldBasic, newBasic, newBasic}, ""},
		{"the same", &rotating{before: old, after: old}, []scriptedAnswer{refused}, []string{oldBasic}, KindUnauthorized},
		{"empty", &rotating{before: old}, []scriptedAnswer{refused}, []string{oldBasic}, KindUnauthorized},
		{"not to be had", &rotating{before: old, err: &Error{Kind: KindUnavailable}}, []scriptedAnswer{refused}, []string{oldBasic},
			KindUnavailable},
	} {
		api := script(t, test.answers...)
		c := api.client(func(o *Options) { o.Credentials, o.MaxAttempts = test.provider, 2 })
		_, err := c.LaunchArchive(t.Context(), oneAsset)
		var sent []string
		for _, r := range api.requests() {
			sent = append(sent, r.authorization)
		}
		if strings.Join(sent, " ") != strings.Join(test.sent, " ") || test.provider.refreshes != 1 {
			t.Errorf("%s: sent %v after %d refreshes", test.name, sent, test.provider.refreshes)
		}
		if test.kind == "" && err != nil || test.kind != "" && failureOf(t, err).Kind != test.kind {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Credentials(context.Context, bool) (Credentials, error) { return Credentials{}, f.err }

func TestCredentialsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	denied := errors.New("AccessDenied")
	for _, test := range []struct {
		name     string
		provider CredentialsProvider
		kind     Kind
	}{
		{"an error", failing{denied}, KindUnauthorized},
		{"an error with a kind", failing{fmt.Errorf("store: %w", &Error{Kind: KindUnavailable, Err: denied})}, KindUnavailable},
		{"no key", StaticCredentials("", "s"), KindUnauthorized},
		{"no secret", StaticCredentials("k", ""), KindUnauthorized},
	} {
		api := script(t, scriptedAnswer{status: 200, body: guideAnswer})
		c := api.client(func(o *Options) { o.Credentials = test.provider })
		_, err := c.Job(t.Context(), JobRef{ID: "j"})
		e := failureOf(t, err)
		if e.Kind != test.kind || e.Op != opJob || api.uris() != "" {
			t.Errorf("%s: calls %q, %+v", test.name, api.uris(), e)
		}
		if _, ok := test.provider.(failing); ok && !errors.Is(err, denied) {
			t.Errorf("%s: the cause is lost: %v", test.name, err)
		}
	}
}

func TestCanceledWhileCredentialsAreRead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newTestClient(t, Options{Credentials: failing{context.Canceled}})
	if _, err := c.Job(ctx, JobRef{ID: "j"}); failureOf(t, err).Kind != KindCanceled {
		t.Errorf("%v", err)
	}
}
