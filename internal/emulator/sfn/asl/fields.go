package asl

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxSeconds is the largest number of seconds in a definition (AWS: a bit over three years).
const maxSeconds = 99_999_999

// compiler collects what is found while a definition is compiled.
type compiler struct {
	problems  []error
	names     map[string]bool // of all states: AWS wants them unique over the whole machine
	resources []string
	inMap     bool                // what is compiled is what the children of a Map do
	children  map[string]*Machine // by label
}

// fields reads the members of one object of the definition and notices the ones that nobody asked for.
type fields struct {
	c     *compiler
	where string
	o     *object
	asked map[string]bool
}

func (c *compiler) fields(where string, o *object) *fields {
	return &fields{c, where, o, map[string]bool{}}
}

// object reads v as an object named where.
func (c *compiler) object(where string, v any) (*fields, bool) {
	o, ok := v.(*object)
	if !ok {
		c.problems = append(c.problems, fmt.Errorf("%s: must be an object, not %s", where, typeName(v)))
		return nil, false
	}
	return c.fields(where, o), true
}

func (f *fields) wrong(name, format string, args ...any) {
	f.c.problems = append(f.c.problems, fmt.Errorf("%s: field %q: %s", f.where, name, fmt.Sprintf(format, args...)))
}

func (f *fields) problem(format string, args ...any) {
	f.c.problems = append(f.c.problems, fmt.Errorf("%s: %s", f.where, fmt.Sprintf(format, args...)))
}

func (f *fields) take(name string) (any, bool) {
	f.asked[name] = true
	return f.o.get(name)
}

func (f *fields) has(name string) bool {
	_, ok := f.o.get(name)
	return ok
}

// done reports the fields that nobody asked for.
func (f *fields) done() {
	for _, name := range f.o.names {
		if !f.asked[name] {
			f.wrong(name, "is not supported here")
		}
	}
}

func (f *fields) string(name string) (string, bool) {
	v, ok := f.take(name)
	if !ok {
		return "", false
	}
	s, ok := v.(string)
	if !ok {
		f.wrong(name, "must be a string, not %s", typeName(v))
	}
	return s, ok
}

// text is an optional string.
func (f *fields) text(name string) string {
	s, _ := f.string(name)
	return s
}

// required is a string that must be there and not empty.
func (f *fields) required(name string) string {
	s, ok := f.string(name)
	if s == "" && (ok || !f.has(name)) {
		f.wrong(name, "is missing")
	}
	return s
}

func (f *fields) array(name string) ([]any, bool) {
	v, ok := f.take(name)
	if !ok {
		return nil, false
	}
	a, ok := v.([]any)
	if !ok || len(a) == 0 {
		f.wrong(name, "must be an array that is not empty")
	}
	return a, ok && len(a) > 0
}

func (f *fields) integer(name string, least, most int64) (int64, bool) {
	v, ok := f.take(name)
	if !ok {
		return 0, false
	}
	n, isNumber := v.(json.Number)
	i, ok := toInteger(n)
	if !isNumber || !ok || i < least || i > most {
		f.wrong(name, "must be an integer from %d to %d", least, most)
		return 0, false
	}
	return i, true
}

// seconds is an optional positive number of seconds.
func (f *fields) seconds(name string) time.Duration {
	n, _ := f.integer(name, 1, maxSeconds)
	return time.Duration(n) * time.Second
}

func (f *fields) bool(name string) (value, ok bool) {
	v, ok := f.take(name)
	if !ok {
		return false, false
	}
	value, ok = v.(bool)
	if !ok {
		f.wrong(name, "must be true or false, not %s", typeName(v))
	}
	return value, ok
}

// path is an optional path; nil when it is not there or wrong.
func (f *fields) path(name string) *path {
	s, ok := f.string(name)
	if !ok {
		return nil
	}
	p, err := parsePath(s)
	if err != nil {
		f.wrong(name, "%v", err)
		return nil
	}
	return p
}

// resultPath is a ResultPath: null, or a path into the input.
func (f *fields) resultPath() resultPath {
	if v, ok := f.take("ResultPath"); ok && v == nil {
		return resultPath{null: true}
	}
	r := resultPath{p: f.path("ResultPath")}
	if r.p != nil && r.p.context {
		f.wrong("ResultPath", "path %q: must lead into the input", r.p.text)
	}
	return r
}

func (f *fields) template(name string) template {
	v, ok := f.take(name)
	if !ok {
		return nil
	}
	t, err := compileTemplate(v)
	if err != nil {
		f.wrong(name, "%v", err)
	}
	return t
}

// atMostOne reports when two fields that exclude each other are there.
func (f *fields) atMostOne(a, b string) {
	if f.has(a) && f.has(b) {
		f.wrong(b, "excludes %q", a)
	}
}
