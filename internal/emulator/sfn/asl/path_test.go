package asl

import (
	"strings"
	"testing"
)

const store = `{
 "book":[{"t":"a","p":8.95,"tags":["x","y"]},{"t":"b","p":12,"isbn":"1"},{"t":"c","p":22.0,"isbn":"2"},7],
 "bike":{"p":19,"t":"z"},"n":null,"big":12345678901234567890,"dec":1.10,"a.b":1,"a'b":2,"é-_":3,"x y":4,"f":false}`

func evalPath(t *testing.T, text, input string) (any, error) {
	t.Helper()
	p, err := parsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := decodeJSON([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	c := newObject(1)
	c.set("c", "context")
	return p.eval(&scope{input: v, context: c})
}

func TestPathFinds(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"$.book[0].t":                 `"a"`,
		"$.book[-1]":                  `7`,
		"$['book'][1]['p']":           `12`,
		`$["bike"]["t"]`:              `"z"`,
		"$.n":                         `null`,
		"$.big":                       `12345678901234567890`,
		"$.dec":                       `1.10`,
		"$['a.b']":                    `1`,
		`$.a\.b`:                      `1`,
		`$['a\'b']`:                   `2`,
		"$.é-_":                       `3`,
		"$['x y']":                    `4`,
		"$$.c":                        `"context"`,
		"$.book[*].t":                 `["a","b","c"]`,
		"$.bike.*":                    `[19,"z"]`,
		"$..p":                        `[8.95,12,22.0,19]`,
		"$..tags[0]":                  `["x"]`,
		"$..['t']":                    `["a","b","c","z"]`,
		"$.book[0:2].t":               `["a","b"]`,
		"$.book[2:]":                  `[{"t":"c","p":22.0,"isbn":"2"},7]`,
		"$.book[-1:]":                 `[7]`,
		"$.book[:-3].t":               `["a"]`,
		"$.book[2:1]":                 `[]`,
		"$.book[9:]":                  `[]`,
		"$.book[0,2].t":               `["a","c"]`,
		"$.bike['t','p','q']":         `["z",19]`,
		"$.book[?(@.p < 10)].t":       `["a"]`,
		"$.book[?(@.p >= 12)].t":      `["b","c"]`,
		"$.book[?(@.p == 22)].t":      `["c"]`,
		"$.book[?(@.t != 'a')].t":     `["b","c"]`,
		"$.book[?(@.isbn)].t":         `["b","c"]`,
		"$.book[?(!@.isbn)].t":        `["a"]`,
		"$.book[?(@ > 5)]":            `[7]`,
		"$.book[?(@.p > $.bike.p)].t": `["c"]`,
		"$.book[?(@.p < 10 || @.isbn == \"2\" && @.p > 20)].t": `["a","c"]`,
		"$.book[?((@.p < 10 || @.isbn) && @.p <= 12)].t":       `["a","b"]`,
		"$.book[?(@.tags[0] == 'x')].t":                        `["a"]`,
		"$.book[?(@.missing == null)]":                         `[]`,
		"$.book[?(@.t > 'a')].t":                               `["b","c"]`,
		"$.book[?(@.t > 1)].t":                                 `[]`,
		"$.book[?(@.t == true)].t":                             `[]`,
		"$.bike[?(@.p == 19)].t":                               `["z"]`,
		"$..[?(@.isbn)].t":                                     `["b","c"]`,
		"$.book[*].missing":                                    `[]`,
		"$.f[*]":                                               `[]`,
	} {
		v, err := evalPath(t, path, store)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := encodeJSON(v); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if v, _ := evalPath(t, "$..*", `{"a":{"b":1},"c":[2]}`); encodeJSON(v) != `[{"b":1},[2],1,2]` {
		t.Errorf("$..*: got %s", encodeJSON(v))
	}
}

func TestPathFindsNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"$.missing", "$.missing.x", "$.n.x", "$.book.t", "$.bike[0]", "$.book[4]", "$.book[-5]", "$.big.x",
		"$.missing[*]", "$.bike[0:1]", "$.bike[0,1]", "$.book['a','b']", "$.f[?(@.x)]", "$$.missing",
	} {
		if v, err := evalPath(t, path, store); err == nil {
			t.Errorf("%s: got %s", path, encodeJSON(v))
		}
	}
}

func TestPathSyntax(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":                 "starts with $",
		"a":                "starts with $",
		"$a":               "variables are not supported",
		"$.":               "a name is missing",
		"$..":              "a name is missing",
		"$.a.":             "a name is missing",
		"$.a b":            "unexpected",
		"$.a]":             "unexpected",
		"$[":               "a bracket must hold",
		"$[]":              "a bracket must hold",
		"$[0":              "] is missing",
		"$['a":             "closing quote",
		"$['a',0]":         "a quote is missing",
		"$[0,'a']":         "an index is missing",
		"$[0:4:2]":         "step",
		"$[99999999999]":   "is not an index",
		"$[-]":             "is not an index",
		"$.[0]":            "bracket after a dot",
		"$.a.length()":     "functions in paths",
		"$[(@.length-1)]":  "scripts in paths",
		"$[?(@.a =~ /x/)]": "operator that is not supported",
		"$[?(@.a in [1])]": "operator that is not supported",
		"$[?@.a]":          "( is missing",
		"$[?(@.a == )]":    "is not a path",
		"$[?(@.a == x)]":   "is not a path",
		"$[?((@.a)]":       ") is missing",
		"$[?(@.a == 'x]":   "closing quote",
		`$.a\`:             "nothing after the backslash",
		"$[?(" + strings.Repeat("!", 40) + "@.a)]": "nested more than",
	} {
		if _, err := parsePath(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", path, err, want)
		}
	}
}

func TestSetPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, into, want string }{
		{"$", `{"a":1}`, `"new"`},
		{"$.a", `{"a":1,"b":2}`, `{"a":"new","b":2}`},
		{"$.c", `{"a":1}`, `{"a":1,"c":"new"}`},
		{"$.c.d.e", `{"a":1}`, `{"a":1,"c":{"d":{"e":"new"}}}`},
		{"$.a[1].b", `{"a":[0,{"c":1},2]}`, `{"a":[0,{"c":1,"b":"new"},2]}`},
		{"$['x y'][0]", `{"x y":[1]}`, `{"x y":["new"]}`},
		{"$.a.b", `{"a":1}`, ""},
		{"$.a.b", `{"a":null}`, ""},
		{"$.a[1]", `{"a":[1]}`, ""},
		{"$.a[0]", `{"a":{}}`, ""},
		{"$.a[0]", `{}`, ""},
		{"$.a[0].b", `{"a":[1]}`, ""},
		{"$.a", `[1]`, ""},
		{"$.a", `"text"`, ""},
	} {
		p, err := parsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := decodeJSON([]byte(c.into))
		after, err := setPath(before, p.segments, "new")
		if (err != nil) != (c.want == "") || err == nil && encodeJSON(after) != c.want {
			t.Errorf("%s into %s: got %v, %v, want %s", c.path, c.into, after, err, c.want)
		}
		if encodeJSON(before) != c.into {
			t.Errorf("%s changed its input to %s", c.path, encodeJSON(before))
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"$", "$$.a", "$.a[0]['b']..c", "$[?(@.a == 'x' && !(@.b < 1))]", "$[1:2]", "$..*", `$.a\.b`, "$[0,1]", "$.é",
	} {
		f.Add(seed)
	}
	v, _ := decodeJSON([]byte(store))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		if p.text != text {
			t.Fatalf("read %q of %q", p.text, text)
		}
		found, err := p.eval(&scope{input: v, context: newObject(0)})
		if err == nil {
			encodeJSON(found)
		}
		if p.isReference() && !p.isDefinite() {
			t.Fatalf("%q is a reference path and not definite", text)
		}
		if p.isReference() {
			if after, err := setPath(v, p.segments, "new"); err == nil && !p.context {
				if got, err := p.eval(&scope{input: after}); err != nil || got != "new" {
					t.Fatalf("%q: set, but found %v, %v", text, got, err)
				}
			}
		}
	})
}
