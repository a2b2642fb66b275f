package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// A JSON value is held as nil, bool, json.Number, string, []any or *object. Numbers keep their text, so that a large
// integer or 1.10 goes through an execution unharmed; objects keep the order of their members, as AWS's do, which people
// see in outputs. Values are never changed once made: a writer copies what it changes.

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
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one JSON value, from offset %d", d.InputOffset())
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
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
		return readObject(d, depth)
	default:
		return readArray(d, depth)
	}
}

func readObject(d *json.Decoder, depth int) (any, error) {
	o := newObject(4)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(name.(string), v)
	}
	_, err := d.Token()
	return o, err
}

func readArray(d *json.Decoder, depth int) (any, error) {
	a := []any{}
	for d.More() {
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

// Encode is v's compact JSON text, without json.Marshal's escapes for HTML, which would make signed URLs unreadable and
// longer.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func encodeJSON(v any) string {
	text, err := Encode(v)
	if err != nil {
		panic(fmt.Sprintf("asl: %v", err)) // v is no JSON value
	}
	return string(text)
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, encodeJSON(name)...), ':')
		b = append(b, encodeJSON(o.values[name])...)
	}
	return append(b, '}'), nil
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// toInteger is n as an int64, when it stands for one: 3, 3.0 and 3e0, not 3.5.
func toInteger(n json.Number) (int64, bool) {
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return 0, false
	}
	return int64(f), true
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
