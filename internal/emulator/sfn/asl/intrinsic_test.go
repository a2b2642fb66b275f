package asl

import (
	"strings"
	"testing"
)

const intrinsicInput = `{"s":"text","n":3,"a":[1,2,3,4,5],"o":{"a":1,"b":[true,null]},"tpl":"<{}|{}>",
 "dup":[1,"1",1.0,{"x":1,"y":2},{"y":2,"x":1},null,null],"json":"{\"b\":[1.50],\"a\":2}","nul":null}`

func evalExpression(text string) (any, error) {
	expr, err := parseExpression(text)
	if err != nil {
		return nil, err
	}
	v, err := decodeJSON([]byte(intrinsicInput))
	if err != nil {
		return nil, err
	}
	return expr.eval(&scope{input: v, context: newObject(0).with("Name", "ctx")})
}

func TestIntrinsics(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`States.Format('{} and {}', $.s, $.n)`:                                    `"text and 3"`,
		`States.Format($.tpl, $.a, $.o)`:                                          `"<[1, 2, 3, 4, 5]|{a=1, b=[true, null]}>"`,
		`States.Format('no values')`:                                              `"no values"`,
		`States.Format('\'\{\}\\ {}', 'x')`:                                       `"'{}\\ x"`,
		`States.Format('{}{}', true, null)`:                                       `"truenull"`,
		`States.Format('{}', $$.Name)`:                                            `"ctx"`,
		`States.StringToJson($.json)`:                                             `{"b":[1.50],"a":2}`,
		`States.StringToJson('12345678901234567890')`:                             `12345678901234567890`,
		`States.JsonToString($.o)`:                                                `"{\"a\":1,\"b\":[true,null]}"`,
		`States.JsonToString($.s)`:                                                `"\"text\""`,
		`States.Array()`:                                                          `[]`,
		`States.Array($.s, 1, 'x', null, -2.5, $.a[0])`:                           `["text",1,"x",null,-2.5,1]`,
		`States.ArrayPartition($.a, 2)`:                                           `[[1,2],[3,4],[5]]`,
		`States.ArrayPartition($.a, 9)`:                                           `[[1,2,3,4,5]]`,
		`States.ArrayPartition($.a, 1.6)`:                                         `[[1,2],[3,4],[5]]`,
		`States.ArrayPartition(States.Array(), 2)`:                                `[]`,
		`States.ArrayContains($.a, 5.0)`:                                          `true`,
		`States.ArrayContains($.a, '5')`:                                          `false`,
		`States.ArrayContains($.dup, $.nul)`:                                      `true`,
		`States.ArrayRange(1, 9, 2)`:                                              `[1,3,5,7,9]`,
		`States.ArrayRange(5, 1, -2)`:                                             `[5,3,1]`,
		`States.ArrayRange(1, 0, 1)`:                                              `[]`,
		`States.ArrayRange(0.4, 2.5, 1)`:                                          `[0,1,2,3]`,
		`States.ArrayLength(States.ArrayRange(1, 1000, 1))`:                       `1000`,
		`States.ArrayGetItem($.a, 0)`:                                             `1`,
		`States.ArrayGetItem($.a, 4)`:                                             `5`,
		`States.ArrayLength($.a)`:                                                 `5`,
		`States.ArrayUnique($.dup)`:                                               `[1,"1",{"x":1,"y":2},null]`,
		`States.Base64Encode('hé')`:                                               `"aMOp"`,
		`States.Base64Decode('aMOp')`:                                             `"hé"`,
		`States.Hash('a', 'MD5')`:                                                 `"0cc175b9c0f1b6a831c399e269772661"`,
		`States.Hash('a', 'SHA-1')`:                                               `"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"`,
		`States.Hash('a', 'SHA-256')`:                                             `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`,
		`States.ArrayLength(States.StringSplit(States.Hash('a', 'SHA-384'), ''))`: `1`,
		`States.JsonMerge($.o, States.StringToJson($.json), false)`:               `{"a":2,"b":[1.50]}`,
		`States.MathRandom(7, 8)`:                                                 `7`,
		`States.MathAdd($.n, -5)`:                                                 `-2`,
		`States.MathAdd(1.5, 1)`:                                                  `3`,
		`States.MathAdd(2147483647, 2147483647)`:                                  `4294967294`,
		`States.StringSplit('1.a+,b', '.+,')`:                                     `["1","a","b"]`,
		`States.StringSplit('', ',')`:                                             `[]`,
		`States.StringSplit('a', ',')`:                                            `["a"]`,
		`States.ArrayGetItem( States.Array( 1 , 2 ) , 1 )`:                        `2`,
	} {
		v, err := evalExpression(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := encodeJSON(v); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestIntrinsicSHA512(t *testing.T) {
	t.Parallel()
	for algorithm, digits := range map[string]int{"SHA-384": 96, "SHA-512": 128} {
		v, err := evalExpression(`States.Hash('', '` + algorithm + `')`)
		want := map[string]string{"SHA-384": "38b060a7", "SHA-512": "cf83e135"}[algorithm]
		if s, _ := v.(string); err != nil || len(s) != digits || !strings.HasPrefix(s, want) {
			t.Errorf("%s: %v, %v", algorithm, v, err)
		}
	}
}

func TestIntrinsicRandom(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		v, err := evalExpression(`States.MathRandom(1, 4)`)
		if err != nil {
			t.Fatal(err)
		}
		seen[encodeJSON(v)] = true
	}
	if len(seen) != 3 || !seen["1"] || !seen["2"] || !seen["3"] {
		t.Errorf("1 to 4, not included, gave %v", seen)
	}
	a, _ := evalExpression(`States.MathRandom(1, 1000000, 42)`)
	b, _ := evalExpression(`States.MathRandom(1, 1000000, 42)`)
	if a != b {
		t.Errorf("one seed gave %v and %v", a, b)
	}
	x, _ := evalExpression(`States.UUID()`)
	y, _ := evalExpression(`States.UUID()`)
	if s := x.(string); x == y || len(s) != 36 || s[14] != '4' {
		t.Errorf("UUIDs %v and %v", x, y)
	}
}

func TestIntrinsicFailures(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 10_001)
	for text, want := range map[string]string{
		`States.Format('{}', $.missing)`:                                  "'$.missing' could not be found",
		`States.Format('{}')`:                                             "1 placeholders for 0 values",
		`States.Format('{}', 1, 2)`:                                       "1 placeholders for 2 values",
		`States.Format($.n)`:                                              "must be a string, not a number",
		`States.StringToJson('{')`:                                        "not JSON",
		`States.StringToJson($.a)`:                                        "must be a string, not an array",
		`States.ArrayPartition($.a, 0)`:                                   "at least 1",
		`States.ArrayPartition($.s, 1)`:                                   "must be an array, not a string",
		`States.ArrayPartition($.a, $.s)`:                                 "must be a number",
		`States.ArrayRange(1, 1001, 1)`:                                   "more than 1000 elements",
		`States.ArrayRange(1, 2, 0)`:                                      "must not be 0",
		`States.ArrayRange(1, 2, $.s)`:                                    "must be a number",
		`States.ArrayRange(-9223372036854775808, 9223372036854775807, 1)`: "too large",
		`States.ArrayGetItem($.a, 5)`:                                     "index 5 of an array of 5",
		`States.ArrayGetItem($.a, -1)`:                                    "index -1",
		`States.ArrayGetItem($.o, 0)`:                                     "must be an array, not an object",
		`States.ArrayLength($.nul)`:                                       "must be an array, not null",
		`States.ArrayUnique($.s)`:                                         "must be an array",
		`States.ArrayContains(true, 1)`:                                   "must be an array, not a boolean",
		`States.Base64Encode('` + long + `')`:                             "has 10001 characters",
		`States.Base64Decode('` + long + `')`:                             "has 10001 characters",
		`States.Base64Decode('!')`:                                        "illegal base64",
		`States.Base64Decode('/w==')`:                                     "not UTF-8",
		`States.Hash('` + long + `', 'MD5')`:                              "has 10001 characters",
		`States.Hash('a', 'CRC')`:                                         `no algorithm "CRC"`,
		`States.Hash($.n, 'MD5')`:                                         "must be a string",
		`States.Hash('a', 1)`:                                             "must be a string",
		`States.JsonMerge($.o, $.o, true)`:                                "must be false",
		`States.JsonMerge($.a, $.o, false)`:                               "argument 1 must be an object",
		`States.JsonMerge($.o, $.a, false)`:                               "argument 2 must be an object",
		`States.MathRandom(2, 2)`:                                         "less than the end",
		`States.MathRandom($.s, 2)`:                                       "must be a number",
		`States.MathRandom(1, $.s)`:                                       "must be a number",
		`States.MathRandom(1, 2, $.s)`:                                    "must be a number",
		`States.MathAdd(2147483648, 1)`:                                   "not within",
		`States.MathAdd(1, 1e30)`:                                         "too large",
		`States.MathAdd(1, $.s)`:                                          "must be a number",
		`States.StringSplit($.n, ',')`:                                    "must be a string",
		`States.StringSplit('a', 1)`:                                      "must be a string",
	} {
		if v, err := evalExpression(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, %v, want %q", text, v, err, want)
		}
	}
}

func TestIntrinsicSyntax(t *testing.T) {
	t.Parallel()
	nine := strings.Repeat("States.Array(", 9) + strings.Repeat(")", 9)
	if _, err := parseExpression("States.Array(" + nine + ")"); err != nil {
		t.Errorf("ten functions: %v", err)
	}
	for text, want := range map[string]string{
		"States.Array(States.Array(" + nine + "))": "more than 10 functions",
		"States.Nope()":      `no function "States.Nope"`,
		"States.Array":       "( is missing",
		"States.Array(":      "is not a path",
		"States.Array(1":     ", or ) is missing",
		"States.Array(1,)":   "is not a path",
		"States.Array(1) x":  "unexpected",
		"States.Array('a)":   "closing apostrophe",
		`States.Array('\n')`: "backslash stands only before",
		`States.Array("a")`:  "is not a path",
		"States.Array(abc)":  "is not a path",
		"States.Array($.)":   "a name is missing",
		"States.Array($x)":   "variables are not supported",
		"States.UUID(1)":     "does not take 1 arguments",
		"States.Hash('a')":   "does not take 1 arguments",
		"States.Format()":    "does not take 0 arguments",
	} {
		if _, err := parseExpression(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzIntrinsic(f *testing.F) {
	for _, seed := range []string{
		"States.Format('{} \\'', $.s)", "States.Array(1, States.UUID(), $.a[?(@ > 1)])", "States.MathAdd($.n, -1e3)",
		"States.ArrayRange(1, 9, 2)", "States.JsonMerge($.o, $.o, false)", "$.a", "States.StringSplit('a,b', ',')",
		"States.ArrayPartition($.a, 2)", "States.Base64Decode('YQ==')", "States.MathRandom(1, 2, 3)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := evalExpression(text); err == nil {
			if _, err := decodeJSON([]byte(encodeJSON(v))); err != nil {
				t.Fatalf("%q gives what is not JSON: %v", text, err)
			}
		}
	})
}
