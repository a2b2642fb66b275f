package scenario

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestReasonOfEveryShape(t *testing.T) {
	t.Parallel()
	pair := base64.StdEncoding.EncodeToString([]byte(testKey + ":" + testSecret))
	for _, test := range []struct{ name, body, want string }{
		{"error", `{"error":"bad query"}`, "bad query"},
		{"message", `{"message":"bad query"}`, "bad query"},
		{"reason", `{"reason":"bad query"}`, "bad query"},
		{"reason an object", `{"reason":{"message":"bad query"}}`, "bad query"},
		{"error an object", `{"error":{"code":"E1","message":"bad query"}}`, "bad query"},
		{"apiError", `{"statusCode":400,"apiError":{"name":"X","reason":"bad query"}}`, "bad query"},
		{"error and message", `{"statusCode":400,"error":"Bad Request","message":"bad query"}`, "Bad Request: bad query"},
		{"the same twice", `{"error":"bad query","message":"bad query"}`, "bad query"},
		{"a list", `{"errors":[{"message":"one"},{"message":"two"}]}`, "one: two"},
		{"a JSON string", `"bad query"`, "bad query"},
		{"plain text", "bad\nquery\n", "bad query"},
		{"a page", "<html><head><title>x</title></head><body><h1>502 Bad&nbsp;Gateway</h1><script>a<b</script></body></html>",
			"502 Bad&nbsp;Gateway"},
		{"control characters", "\x1b[31mred\x00\u202e\u2028end", "[31mred end"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"nothing known", `{"foo":{"bar":1}}`, "Bad Request"},
		{"empty", "", "Bad Request"},
		{"null", "null", "Bad Request"},
		{"deep", strings.Repeat(`{"error":`, 50) + `"x"` + strings.Repeat("}", 50), "Bad Request"},
		{"the secret", `{"error":"wrong secret s3cr/t+value=="}`, "wrong secret [REDACTED]"},
		{"the secret, escaped in JSON", `{"error":"s3cr\/t\u002bvalue=="}`, "[REDACTED]"},
		{"the secret in a URL", `{"error":"?secret=s3cr%2Ft%2Bvalue%3D%3D"}`, "?…"},
		{"the key", `{"error":"no key key-4711"}`, "no key [REDACTED]"},
		{"both", `{"error":"Basic ` + pair + `"}`, "Basic [REDACTED]"},
		{"a signed URL", `{"error":"see https://cdn/a.zip?Signature=abc&x=1 now"}`, "see https://cdn/a.zip?… now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := script(t, scriptedAnswer{status: 400, body: test.body}).client().LaunchArchive(t.Context(), oneAsset)
			if e := failureOf(t, err); e.Reason != test.want {
				t.Errorf("got  %q\nwant %q", e.Reason, test.want)
			}
		})
	}
}

func TestReasonIsShortened(t *testing.T) {
	t.Parallel()
	got := newCleaner(Credentials{}).text(strings.Repeat("é", 5000))
	if n := utf8.RuneCountInString(got); n != maxReason || !strings.HasSuffix(got, "é…") {
		t.Errorf("%d runes, ends in %q", n, got[len(got)-6:])
	}
}

func TestASecretWithinAnotherDoesNotBreakItUp(t *testing.T) {
	t.Parallel()
	clean := newCleaner(Credentials{Key: "my-secret-key", Secret: "secret"})
	if got := clean.text("my-secret-key, secret"); got != "[REDACTED], [REDACTED]" {
		t.Errorf("%q", got)
	}
}

func TestCeilingOfATeam(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body, action string
		limit              int
	}{
		{"at the top", `{"details":{"actionName":"assets-download","actionLimit":5}}`, "assets-download", 5},
		{"in the error", `{"error":{"message":"x","details":{"actionName":"assets-download","actionLimit":"5"}}}`, "assets-download", 5},
		{"in the apiError", `{"apiError":{"details":{"actionName":"a"}}}`, "a", 0},
		{"no sensible limit", `{"details":{"actionName":"a","actionLimit":-2}}`, "a", 0},
		{"no name", `{"details":{"actionLimit":5}}`, "", 0},
		{"no object", `{"details":"a"}`, "", 0},
		{"no JSON", `slow down`, "", 0},
	} {
		api := script(t, scriptedAnswer{status: 429, body: test.body, header: map[string]string{"Retry-After": "60"}})
		_, err := api.client().LaunchArchive(t.Context(), oneAsset)
		e := failureOf(t, err)
		if e.Kind != KindRateLimited || e.Action != test.action || e.Limit != test.limit || e.RetryAfter != time.Minute {
			t.Errorf("%s: %+v", test.name, e)
		}
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	t.Parallel()
	e := &Error{Op: "get job", Err: errors.New("malformed HTTP status " + strings.Repeat("x", 42<<10) + " of https://c/a?sig=SECRET")}
	if text := e.Error(); len(text) > 3*maxReason || !strings.Contains(text, "malformed HTTP status") || strings.Contains(text, "SECRET") {
		t.Errorf("%d bytes: %.200s", len(text), text)
	}
}

func TestErrorTextNamesTheCeiling(t *testing.T) {
	t.Parallel()
	e := &Error{Op: "launch archive", StatusCode: 429, Reason: "slow", Action: "assets-download", Limit: 5, RetryAfter: time.Minute}
	want := "scenario: launch archive: HTTP 429: slow (the limit of assets-download is 5) (the API asks to wait 1m0s)"
	if e.Error() != want {
		t.Errorf("%v", e)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"job":{"jobId":"job_1","status":"success","progress":1,"metadata":{"archiveUrl":"https://c/a?s"}}}`,
		`{"jobId":"job_1","jobStatus":"queued","downloadUrl":null}`, `{"job":[],"status":{},"progress":"1"}`,
		`{"error":{"message":"s3cr/t+value==","details":{"actionName":"a","actionLimit":1e400}}}`,
		`<html><script>`, "\x00\xff", `{"job":{"progress":-1e999,"metadata":{"error":[[["x"]]]}}}`, `[`, ``, `{} {}`,
	} {
		f.Add([]byte(seed))
	}
	clean := newCleaner(Credentials{Key: testKey, Secret: testSecret})
	f.Fuzz(func(t *testing.T, body []byte) {
		reason := clean.answer(body)
		if parsed, err := parseJobAnswer(body); err == nil {
			if !(parsed.progress >= 0 && parsed.progress <= 1) {
				t.Errorf("progress %v", parsed.progress)
			}
			if !json.Valid(body) {
				t.Error("took what is no JSON")
			}
			reason += clean.value(parsed.reasons...)
		}
		action, limit := clean.ceiling(body)
		reason += action
		if strings.Contains(reason, testSecret) || strings.ContainsFunc(reason, unicode.IsControl) || limit < 0 ||
			utf8.RuneCountInString(reason) > 3*maxReason || !utf8.ValidString(reason) {
			t.Errorf("reason %q, limit %d", reason, limit)
		}
	})
}
