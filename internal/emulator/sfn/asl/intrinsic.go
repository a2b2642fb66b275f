package asl

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An expression is what a field whose name ends in .$ may hold: a path or a call of intrinsic functions.
type expression interface {
	eval(e *scope) (any, error)
}

// maxCalls is how many intrinsic functions one field may hold (AWS, "Intrinsic functions": up to 10).
const maxCalls = 10

// literal is a string, number, boolean or null within a call.
type literal struct{ value any }

func (l literal) eval(*scope) (any, error) { return l.value, nil }

// formatText is the literal text of States.Format's first argument: the pieces between its placeholders {}.
type formatText struct {
	literal
	pieces []string
}

// call is an intrinsic function with its arguments.
type call struct {
	name string
	args []expression
	run  intrinsic
}

func (c *call) eval(e *scope) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(e)
		if err == errNotFound {
			err = fmt.Errorf("the path '%s' could not be found", a.(*path).text)
		}
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := c.run.call(c, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, nil
}

func isCall(text string) bool { return strings.HasPrefix(text, "States.") }

// parseExpression reads a path or an intrinsic function.
func parseExpression(text string) (expression, error) {
	if !isCall(text) {
		p, err := parsePath(text)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	p := &parser{text: text}
	c, err := p.call()
	if err == nil && p.pos < len(text) {
		err = p.errorf("unexpected %q", p.rest(10))
	}
	if err != nil {
		return nil, fmt.Errorf("intrinsic function %q: %w", text, err)
	}
	return c, nil
}

func (p *parser) call() (*call, error) {
	open := strings.IndexByte(p.text[p.pos:], '(')
	if open < 0 {
		return nil, p.errorf("( is missing")
	}
	c := &call{name: p.text[p.pos : p.pos+open]}
	run, ok := intrinsics[c.name]
	if !ok {
		return nil, p.errorf("there is no function %q", c.name)
	}
	if p.calls++; p.calls > maxCalls {
		return nil, p.errorf("more than %d functions in one field", maxCalls)
	}
	c.run = run
	p.pos += open + 1
	if err := p.arguments(c); err != nil {
		return nil, err
	}
	if n := len(c.args); n < run.least || run.most >= 0 && n > run.most {
		return nil, p.errorf("%s does not take %d arguments", c.name, n)
	}
	return c, nil
}

func (p *parser) arguments(c *call) error {
	p.spaces()
	if p.accept(")") {
		return nil
	}
	for {
		p.spaces()
		a, err := p.argument()
		if err != nil {
			return err
		}
		c.args = append(c.args, a)
		p.spaces()
		if p.accept(")") {
			return nil
		}
		if !p.accept(",") {
			return p.errorf(", or ) is missing")
		}
	}
}

func (p *parser) argument() (expression, error) {
	switch {
	case p.next() == '$':
		return p.path()
	case p.next() == '\'':
		return p.apostrophes()
	case isCall(p.text[p.pos:]):
		return p.call()
	default:
		v, err := p.scalar()
		return literal{v}, err
	}
}

// apostrophes reads a string in apostrophes. In it a backslash stands before an apostrophe, a brace or a backslash that is
// meant as such; {} without one is a placeholder for States.Format and plain text for the others.
func (p *parser) apostrophes() (expression, error) {
	var all, piece strings.Builder
	var pieces []string
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '\'':
			p.pos++
			return formatText{literal{all.String()}, append(pieces, piece.String())}, nil
		case c == '\\':
			p.pos++
			if p.next() == 0 || strings.IndexByte(`'{}\`, p.next()) < 0 {
				return nil, p.errorf(`a backslash stands only before ' { } and \`)
			}
			all.WriteByte(p.next())
			piece.WriteByte(p.next())
		case strings.HasPrefix(p.text[p.pos:], "{}"):
			p.pos++
			all.WriteString("{}")
			pieces = append(pieces, piece.String())
			piece.Reset()
		default:
			all.WriteByte(c)
			piece.WriteByte(c)
		}
	}
	return nil, p.errorf("the closing apostrophe is missing")
}

// format writes the values between the pieces.
func format(c *call, args []any) (any, error) {
	var pieces []string
	if text, ok := c.args[0].(formatText); ok {
		pieces = text.pieces
	} else {
		s, err := stringArg(args, 0)
		if err != nil {
			return nil, err
		}
		pieces = strings.Split(s, "{}")
	}
	values := args[1:]
	if len(pieces)-1 != len(values) {
		return nil, fmt.Errorf("%d placeholders for %d values", len(pieces)-1, len(values))
	}
	var b strings.Builder
	for i, piece := range pieces {
		if i > 0 {
			writePlain(&b, values[i-1])
		}
		b.WriteString(piece)
	}
	return b.String(), nil
}

// writePlain writes v as States.Format shows it: strings without quotes, also within arrays and objects, which are
// written as Java does: [a, b] and {name=value}.
func writePlain(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case json.Number:
		b.WriteString(string(v))
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writePlain(b, e)
		}
		b.WriteByte(']')
	case *object:
		b.WriteByte('{')
		for i, n := range v.names {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(n + "=")
			writePlain(b, v.values[n])
		}
		b.WriteByte('}')
	default:
		b.WriteString(encodeJSON(v))
	}
}
