package asl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// intrinsic is one of the language's functions, with how many arguments it takes (most: -1 for any).
type intrinsic struct {
	least, most int
	call        func(c *call, args []any) (any, error)
}

// The limits that AWS documents for intrinsic functions.
const (
	maxTextLength = 10_000 // characters, of Base64Encode, Base64Decode and Hash
	maxRange      = 1_000  // elements, of ArrayRange
)

// intrinsics are all that the AWS documentation lists ("Intrinsic functions for JSONPath states"). It is filled at
// start: a literal would refer to itself by way of the parser.
var intrinsics map[string]intrinsic

func init() {
	intrinsics = map[string]intrinsic{
		"States.Format":         {1, -1, format},
		"States.StringToJson":   {1, 1, plain(stringToJSON)},
		"States.JsonToString":   {1, 1, plain(jsonToString)},
		"States.Array":          {0, -1, plain(array)},
		"States.ArrayPartition": {2, 2, plain(arrayPartition)},
		"States.ArrayContains":  {2, 2, plain(arrayContains)},
		"States.ArrayRange":     {3, 3, plain(arrayRange)},
		"States.ArrayGetItem":   {2, 2, plain(arrayGetItem)},
		"States.ArrayLength":    {1, 1, plain(arrayLength)},
		"States.ArrayUnique":    {1, 1, plain(arrayUnique)},
		"States.Base64Encode":   {1, 1, plain(base64Encode)},
		"States.Base64Decode":   {1, 1, plain(base64Decode)},
		"States.Hash":           {2, 2, plain(hash)},
		"States.JsonMerge":      {3, 3, plain(jsonMerge)},
		"States.MathRandom":     {2, 3, plain(mathRandom)},
		"States.MathAdd":        {2, 2, plain(mathAdd)},
		"States.StringSplit":    {2, 2, plain(stringSplit)},
		"States.UUID":           {0, 0, plain(newUUID)},
	}
}

func plain(f func(args []any) (any, error)) func(*call, []any) (any, error) {
	return func(_ *call, args []any) (any, error) { return f(args) }
}

func wrongArg(args []any, i int, want string) error {
	return fmt.Errorf("argument %d must be %s, not %s", i+1, want, typeName(args[i]))
}

func stringArg(args []any, i int) (string, error) {
	s, ok := args[i].(string)
	if !ok {
		return "", wrongArg(args, i, "a string")
	}
	return s, nil
}

// textArg is a string within the length that AWS allows, which it counts as Java does: in UTF-16 units.
func textArg(args []any, i int) (string, error) {
	s, err := stringArg(args, i)
	if n := len(utf16.Encode([]rune(s))); err == nil && n > maxTextLength {
		err = fmt.Errorf("argument %d has %d characters, more than %d", i+1, n, maxTextLength)
	}
	return s, err
}

func arrayArg(args []any, i int) ([]any, error) {
	a, ok := args[i].([]any)
	if !ok {
		return nil, wrongArg(args, i, "an array")
	}
	return a, nil
}

// intArg is a number rounded to the nearest integer.
func intArg(args []any, i int) (int64, error) {
	n, ok := args[i].(json.Number)
	if !ok {
		return 0, wrongArg(args, i, "a number")
	}
	if v, ok := toInteger(n); ok {
		return v, nil
	}
	f, _ := toFloat(n).Float64()
	if f = math.Floor(f + 0.5); math.Abs(f) >= 1<<53 {
		return 0, fmt.Errorf("argument %d is too large", i+1)
	}
	return int64(f), nil
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func stringToJSON(args []any) (any, error) {
	s, err := stringArg(args, 0)
	if err != nil {
		return nil, err
	}
	v, err := decodeJSON([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("the string is not JSON: %w", err)
	}
	return v, nil
}

func jsonToString(args []any) (any, error) { return encodeJSON(args[0]), nil }

func base64Encode(args []any) (any, error) {
	s, err := textArg(args, 0)
	return base64.StdEncoding.EncodeToString([]byte(s)), err
}

func base64Decode(args []any) (any, error) {
	s, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err == nil && !utf8.Valid(b) {
		err = errors.New("the decoded bytes are not UTF-8")
	}
	return string(b), err
}

func hash(args []any) (any, error) {
	s, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	algorithm, err := stringArg(args, 1)
	if err != nil {
		return nil, err
	}
	h, ok := hashes[algorithm]
	if !ok {
		return nil, fmt.Errorf("there is no algorithm %q", algorithm)
	}
	return hex.EncodeToString(h([]byte(s))), nil
}

// hashes are the algorithms of States.Hash.
var hashes = map[string]func([]byte) []byte{
	"MD5":     func(b []byte) []byte { h := md5.Sum(b); return h[:] },
	"SHA-1":   func(b []byte) []byte { h := sha1.Sum(b); return h[:] },
	"SHA-256": func(b []byte) []byte { h := sha256.Sum256(b); return h[:] },
	"SHA-384": func(b []byte) []byte { h := sha512.Sum384(b); return h[:] },
	"SHA-512": func(b []byte) []byte { h := sha512.Sum512(b); return h[:] },
}

func jsonMerge(args []any) (any, error) {
	a, aok := args[0].(*object)
	b, bok := args[1].(*object)
	switch {
	case !aok:
		return nil, wrongArg(args, 0, "an object")
	case !bok:
		return nil, wrongArg(args, 1, "an object")
	case args[2] != false:
		return nil, errors.New("argument 3 must be false: Step Functions merges shallowly only")
	}
	merged := newObject(len(a.names) + len(b.names))
	for _, o := range []*object{a, b} {
		for _, n := range o.names {
			merged.set(n, o.values[n])
		}
	}
	return merged, nil
}

// mathRandom gives a number from the first, included, to the second, not included. A seed makes it repeatable.
func mathRandom(args []any) (any, error) {
	from, err := intArg(args, 0)
	if err != nil {
		return nil, err
	}
	to, err := intArg(args, 1)
	if err == nil && (from >= to || to-from <= 0) {
		err = errors.New("the start must be less than the end")
	}
	if err != nil {
		return nil, err
	}
	if len(args) == 2 {
		return number(from + rand.Int64N(to-from)), nil
	}
	seed, err := intArg(args, 2)
	if err != nil {
		return nil, err
	}
	return number(from + rand.New(rand.NewPCG(uint64(seed), 0)).Int64N(to-from)), nil
}

func mathAdd(args []any) (any, error) {
	var sum int64 // of two numbers of 32 bits
	for i := range args {
		n, err := intArg(args, i)
		if err == nil && (n < math.MinInt32 || n > math.MaxInt32) {
			err = fmt.Errorf("argument %d is not within -2147483648 and 2147483647", i+1)
		}
		if err != nil {
			return nil, err
		}
		sum += n
	}
	return number(sum), nil
}

// stringSplit splits at each of the characters of its second argument, and drops what is empty.
func stringSplit(args []any) (any, error) {
	s, err := stringArg(args, 0)
	if err != nil {
		return nil, err
	}
	at, err := stringArg(args, 1)
	parts := []any{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(at, r) }) {
		parts = append(parts, part)
	}
	return parts, err
}

func newUUID([]any) (any, error) { return NewUUID(), nil }
