package asl

import (
	"strings"
	"testing"
)

func TestJSONKeepsTextAndOrder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"z":1,"a":{"y":[],"b":{}},"n":null}`, `12345678901234567890123`, `1.10`, `1e400`, `-0`, `"<&>\"\\"`, `[true,false]`,
		`"\u2028é😀"`,
	} {
		v, err := decodeJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := encodeJSON(v); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	if v, _ := decodeJSON([]byte(`{"a":1,"b":2,"a":3}`)); encodeJSON(v) != `{"a":3,"b":2}` {
		t.Errorf("a repeated name: %s", encodeJSON(v))
	}
}

func TestJSONRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "{", "[1,", `{"a"`, `{"a":`, `{"a":1,}`, "[1 2]", "1 2", "nul", `{1:2}`, "}", "'a'",
		strings.Repeat("[", 600) + strings.Repeat("]", 600),
	} {
		if v, err := decodeJSON([]byte(text)); err == nil {
			t.Errorf("%.20s: got %v", text, v)
		}
	}
}
