package archive

import (
	"strings"
	"testing"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":"a","b":["a","a",{"a":1}],"c":{"a":{"a":1}}}`: "",
		`[{"a":1},{"a":2}]`:           "",
		`{"a":1,"\u0061":2}`:          `"a" stands twice`,
		`{"x":{"a":[{"b":1,"b":2}]}}`: `"b" stands twice`,
		`{"a":{},"a":{}}`:             `"a" stands twice`,
		`{"a":"\xff"}`:                "",
		"{\"a\":\"\xff\"}":            "UTF-8",
		strings.Repeat("[", 16) + strings.Repeat("]", 16): "",
		strings.Repeat("[", 17) + strings.Repeat("]", 17): "deeper than 16",
		strings.Repeat(`{"a":`, 200_000):                  "deeper than 16",
		``:                                                "", `{`: "", `{"a"`: "", `"a"`: "", `1e400`: "", `}`: "",
	} {
		err := CheckJSON([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || NameOf(err) != RequestInvalid) {
			t.Errorf("%.60s: got %v, want %q", text, err, want)
		}
	}
}
