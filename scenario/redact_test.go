package scenario

import (
	"strings"
	"testing"
)

func TestRedactURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"at https://c.example/a.zip?sig=SECRET now":               "at https://c.example/a.zip?… now",
		"https://c.example?SECRET":                                "https://c.example?…",
		"https://c.example/a#SECRET":                              "https://c.example/a?…",
		`{"u":"https:\/\/c.example\/a?sig=SECRET","v":1}`:         `{"u":"https:\/\/c.example\/a?…","v":1}`,
		`https:\u002F\u002Fc.example\u002Fa\u003Fsig\u003DSECRET`: `https:\u002F\u002Fc.example\u002Fa?…`,
		"HTTPS://C.EXAMPLE/a?Signature=SECRET":                    "HTTPS://C.EXAMPLE/a?…",
		"s3://b/k?versionId=SECRET":                               "s3://b/k?…",
		"//c.example/a?sig=SECRET":                                "//c.example/a?…",
		"c.example/a?Policy=SECRET&Key-Pair-Id=SECRET":            "c.example/a?…",
		"/a?x=SECRET":                                "/a?…",
		"Signature=SECRET&x=1":                       "Signature=…&x=1",
		"X-Amz-Signature=SECRET":                     "X-Amz-Signature=…",
		"https%3A%2F%2Fc.example%2Fa%3Fsig%3DSECRET": "https%3A%2F%2Fc.example%2Fa%3F…",
		"https://user:SECRET@c.example/a":            "https://…@c.example/a",
		`https:\/\/user:SECRET@c.example`:            `https:\/\/…@c.example`,
		`{\"u\":\"https://c.example/a?sig=SECRET\"}`: `{\"u\":\"https://c.example/a?…\"}`,
		"what is wrong? nothing=all":                 "what is wrong? nothing=all",
		"the job failed":                             "the job failed",
		"1 // 2":                                     "1 // 2",
	} {
		got := RedactURLs(text)
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if RedactURLs(got) != got || strings.Contains(got, "SECRET") {
			t.Errorf("%s: not stable, or a secret is left: %s", text, RedactURLs(got))
		}
		if reason := newCleaner(Credentials{Key: testKey, Secret: testSecret}).answer([]byte(text)); strings.Contains(reason, "SECRET") {
			t.Errorf("%s: as a reason: %s", text, reason)
		}
	}
}

func TestAReasonThatHidesAURLInMarkup(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://c.example/a<b>?sig=SECRET", "https://c.example/a\u200b?sig=SECRET",
		"ht\u200btps://c.example/a?sig=SECRET", "https://c.example/<!-- -->?sig=SECRET"} {
		if got := newCleaner(Credentials{Key: testKey, Secret: testSecret}).text(text); strings.Contains(got, "SECRET") {
			t.Errorf("%q: %s", text, got)
		}
	}
}
