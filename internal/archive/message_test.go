package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// many makes n members of an object.
func many(n int, name, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%s%05d":%s`, name, i, value)
	}
	return b.String()[1:]
}

// Whatever a request holds, and however much of it: the message that complains about it is short, says what matters, and
// becomes a cause that Step Functions takes, 32,768 characters even with each of its own escaped.
func TestMessagesAboutHostileRequestsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\\u0001", 60_000)
	digits := strings.Repeat("9", 300_000)
	for name, c := range map[string]struct{ raw, says string }{
		"unknown fields":          {`{` + many(13_000, "x", "1") + `}`, "and 12,990 more"},
		"unknown fields, deep":    {query(`,"options":{` + many(13_000, "x", "1") + `}`), "and 12,990 more"},
		"names without letters":   {`{` + many(38_000, "\\u0001\\u0002", "1") + `}`, "and 37,990 more"},
		"a long name":             {`{"` + long + `":1}`, "fields that do not exist"},
		"a name given twice":      {`{"` + long + `":1,"` + long + `":2}`, "twice"},
		"a number":                {query(`,"timeoutSeconds":` + digits), "timeoutSeconds"},
		"a number in a list":      {`{"query":{"assetIds":[` + digits + `]}}`, "query.assetIds"},
		"an ID":                   {`{"query":{"assetIds":["` + long + `"]}}`, "which is no ID"},
		"IDs":                     {`{"query":{"assetIds":` + ids(200_000) + `}}`, "200000 IDs"},
		"a project":               {query(`,"projectId":"` + long + `"`), "projectId"},
		"a key":                   {query(`,"destination":{"key":"` + strings.Repeat("k/", 200_000) + `"}`), "400000 bytes"},
		"a key of dots":           {query(`,"destination":{"key":"` + strings.Repeat("../", 300) + `"}`), "without empty parts"},
		"a prefix":                {query(`,"destination":{"prefix":"` + long + `"}`), "destination.prefix"},
		"tags":                    {query(`,"destination":{"tags":{` + many(13_000, "t", `""`) + `}}`), "13000 tags"},
		"a tag":                   {query(`,"destination":{"tags":{"` + long + `":""}}`), "destination.tags"},
		"a tag that is no text":   {query(`,"destination":{"tags":{"` + long + `":` + digits + `}}`), "destination.tags"},
		"a template":              {query(`,"options":{"fileNameTemplate":"` + long + `"}`), "fileNameTemplate"},
		"an archive's name":       {query(`,"options":{"archiveName":"` + long + `"}`), "archiveName"},
		"a prefix for the files":  {query(`,"unpack":{"prefix":"` + long + `"}`), "unpack.prefix"},
		"fields of the unpacking": {query(`,"unpack":{` + many(13_000, "x", "1") + `}`), "and 12,990 more"},
		"deep nesting":            {strings.Repeat(`{"a":`, 100_000), ""},
		"no JSON":                 {strings.Repeat("x", 300_000), "not JSON"},
	} {
		_, err := ParseRequest([]byte(c.raw))
		if NameOf(err) != RequestInvalid {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		text, _ := json.Marshal(err.Error())
		if len(text) > 8000 || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d bytes, or not %q: %.300s", name, len(text), c.says, err)
		}
	}
}

func TestMessagesAboutScenarioAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("no! ", 100_000)
	for _, k := range []scenario.Kind{scenario.KindInvalid, scenario.KindNotFound, scenario.KindUnauthorized, scenario.KindRateLimited,
		scenario.KindUncertain, scenario.KindUnavailable} {
		for _, e := range []*scenario.Error{{Kind: k, Reason: long}, {Kind: k, Err: errors.New(long)}, {Kind: k, Action: long}} {
			if got := FromScenario(e).Error(); len(got) > maxMessage+10 || !strings.HasPrefix(got, "S") && !strings.HasPrefix(got, "the") {
				t.Errorf("%s: %d bytes: %.100s", k, len(got), got)
			}
		}
	}
	got := FromScenario(&scenario.Error{Kind: scenario.KindUnavailable, Reason: long}).Error()
	if !strings.HasSuffix(got, "Try again later") {
		t.Errorf("the advice is cut off: …%s", got[len(got)-100:])
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"no file. Start again":           Message("%s. %s", "no file.", "Start again"),
		"no file... Start again":         Message("%s. %s", "no file..", "Start again"),
		"at https://c.example/a?… again": Message("at %s again", "https://c.example/a?sig=SECRET"),
		`"a", "b"`:                       Names([]string{"b", "a"}),
		`"c00", "c01", "c02", "c03", "c04", "c05", "c06", "c07", "c08", "c09" and 1 more`: Names([]string{"c10", "c00", "c01", "c02",
			"c03", "c04", "c05", "c06", "c07", "c08", "c09"}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Message("%s", strings.Repeat("é", 5000)); len(got) > maxMessage+10 || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%d bytes", len(got))
	}
}
