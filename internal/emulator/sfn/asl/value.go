package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// A JSON value is held as nil, bool, json.Number, string, []any or *object. Numbers keep their text, so that a large
// integer or 1.10 goes through an execution unharmed; objects keep the order of their members, as AWS's do, which
// States.JsonToString and wildcards make visible. Values are never changed once made: a writer copies what it changes.

// maxDepth bounds the nesting of JSON read from outside.
const maxDepth = 512

// object is a JSON object in the order of its members. A repeated name keeps its place and gets the last value.
type object struct {
	names  []string
	values map[string]any
}

func newObject(size int) *object { return &object{values: make(map[string]any, size)} }

func (o *object) get(name string) (any, bool) {
	v, ok := o.values[name]
	return v, ok
}

func (o *object) set(name string, v any) {
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = v
}

// with is a copy of o with one member set.
func (o *object) with(name string, v any) *object {
	c := newObject(len(o.names) + 1)
	for _, n := range o.names {
		c.set(n, o.values[n])
	}
	c.set(name, v)
	return c
}

// CheckJSON says whether text is one JSON value that an execution can take as its input.
func CheckJSON(text []byte) error {
	_, err := decodeJSON(text)
	return err
}

func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one JSON value, from offset %d", d.InputOffset())
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	delim, ok := t.(json.Delim)
	switch {
	case !ok:
		return t, nil
	case depth == maxDepth:
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	case delim == '{':
		return decodeObject(d, depth)
	default:
		return decodeArray(d, depth)
	}
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	o := newObject(4)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(name.(string), v)
	}
	_, err := d.Token()
	return o, err
}

func decodeArray(d *json.Decoder, depth int) (any, error) {
	a := []any{}
	for d.More() {
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

// encodeJSON is v's compact JSON text.
func encodeJSON(v any) string { return string(appendJSON(nil, v)) }

func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return fmt.Append(b, v)
	case json.Number:
		return append(b, v...)
	case string:
		return appendString(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case *object:
		b = append(b, '{')
		for i, n := range v.names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, n), ':')
			b = appendJSON(b, v.values[n])
		}
		return append(b, '}')
	default:
		panic(fmt.Sprintf("asl: %T is not a JSON value", v))
	}
}

// appendString quotes s without json.Marshal's HTML escapes, which would make signed URLs unreadable and longer.
func appendString(b []byte, s string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// equal compares by value; numbers by what they stand for, so that 1 equals 1.0.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && compareNumbers(a, b) == 0
	case []any, *object:
		return canonical(a) == canonical(b)
	default:
		return isPlain(b) && a == b
	}
}

// canonical is a text that two values share when they are equal: numbers by what they stand for, members sorted.
func canonical(v any) string {
	switch v := v.(type) {
	case json.Number:
		return toFloat(v).Text('p', 0)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = canonical(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *object:
		parts := make([]string, len(v.names))
		for i, n := range v.names {
			parts[i] = encodeJSON(n) + ":" + canonical(v.values[n])
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	default:
		return encodeJSON(v)
	}
}

func isPlain(v any) bool {
	switch v.(type) {
	case nil, bool, string:
		return true
	}
	return false
}

// compareNumbers is -1, 0 or 1. Integers of any size compare exactly; others to 200 bits.
func compareNumbers(a, b json.Number) int { return toFloat(a).Cmp(toFloat(b)) }

func toFloat(n json.Number) *big.Float {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, ok := new(big.Int).SetString(string(n), 10); ok {
			return new(big.Float).SetInt(i)
		}
	}
	f, _, err := big.ParseFloat(string(n), 10, 200, big.ToNearestEven)
	if err != nil {
		return new(big.Float) // not reached: JSON's numbers are big.Float's
	}
	return f
}

// toInteger is n as an int64, when it stands for one: 3, 3.0 and 3e0, not 3.5.
func toInteger(n json.Number) (int64, bool) {
	f := toFloat(n)
	if !f.IsInt() {
		return 0, false
	}
	i, acc := f.Int64()
	return i, acc == big.Exact
}

// typeName is v's type in words, for messages. Values themselves stay out of them: they may hold signed URLs.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}
