package asl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// path leads to one value: $ (the state's input) or $$ (the context object), and names after dots.
type path struct {
	text    string
	context bool // starts at the context object: $$
	names   []string
}

// scope is what the expressions of one state can see.
type scope struct {
	input   any     // $
	context *object // $$
}

var (
	errNotFound = errors.New("not found")
	simplePath  = regexp.MustCompile(`^\$\$?(\.[A-Za-z_][A-Za-z0-9_-]*)*$`)
	// inContext are the members of $$.Execution that a path may name.
	inContext = []string{"Id", "Input", "Name", "RedriveCount", "RoleArn", "StartTime"}
)

func parsePath(text string) (*path, error) {
	if !simplePath.MatchString(text) {
		return nil, fmt.Errorf("path %q: only $ and names after dots are supported, such as $.job.jobId", text)
	}
	rest, context := strings.CutPrefix(text, "$$")
	if !context {
		rest = strings.TrimPrefix(rest, "$")
	}
	p := &path{text: text, context: context}
	if rest != "" {
		p.names = strings.Split(rest[1:], ".")
	}
	if context && (len(p.names) < 2 || p.names[0] != "Execution" || !slices.Contains(inContext, p.names[1])) {
		return nil, fmt.Errorf("path %q: of the context object only $$.Execution is supported, with %q", text, inContext)
	}
	return p, nil
}

// UnmarshalText reads a path.
func (p *path) UnmarshalText(text []byte) error {
	read, err := parsePath(string(text))
	if err == nil {
		*p = *read
	}
	return err
}

// eval is the value that the path leads to, or errNotFound.
func (p *path) eval(e *scope) (any, error) {
	v := e.input
	if p.context {
		v = e.context
	}
	for _, name := range p.names {
		o, ok := v.(*object)
		if !ok {
			return nil, errNotFound
		}
		if v, ok = o.get(name); !ok {
			return nil, errNotFound
		}
	}
	return v, nil
}

// where names what the path looks into. AWS quotes the whole input here; it may hold a signed URL, and an error's
// cause is logged, so that this one does not.
func (p *path) where() string {
	if p.context {
		return "the context object"
	}
	return "the input"
}

// setPath is v with the value at the names replaced. Objects that are missing on the way are made; anything else in the
// way is an error.
func setPath(v any, names []string, value any) (any, error) {
	if len(names) == 0 {
		return value, nil
	}
	o, ok := v.(*object)
	if !ok {
		return nil, fmt.Errorf("member %q of %s", names[0], typeName(v))
	}
	old, ok := o.get(names[0])
	if !ok {
		old = newObject(1)
	}
	changed, err := setPath(old, names[1:], value)
	if err != nil {
		return nil, err
	}
	return o.with(names[0], changed), nil
}
