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

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true}, {"100", "1e2", true}, {"0.1", "0.10", true}, {"1", "2", false}, {"-0", "0", true},
		{"9007199254740993", "9007199254740992", false}, {"1e999999", "1e999999", true}, {"1", `"1"`, false},
		{`"1"`, "1", false}, {"null", "null", true}, {"null", "0", false}, {"true", "true", true}, {"true", `"true"`, false},
		{"[1,2]", "[1.0,2]", true}, {"[1,2]", "[2,1]", false}, {"[]", "{}", false}, {"[1]", "1", false},
		{`{"a":1,"b":[2]}`, `{"b":[2.0],"a":1}`, true}, {`{"a":1}`, `{"a":1,"b":null}`, false}, {`"a"`, "[]", false},
	} {
		a, _ := decodeJSON([]byte(c.a))
		b, _ := decodeJSON([]byte(c.b))
		if equal(a, b) != c.want {
			t.Errorf("%s equals %s: want %v", c.a, c.b, c.want)
		}
	}
}
