package asl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parser reads paths, filters and intrinsic functions, which nest in each other.
type parser struct {
	text string
	pos  int
	// calls counts the intrinsic functions of the field.
	calls int
}

// notInNames are the characters that a name after a dot may have only after a backslash, or in brackets and quotes.
const notInNames = " .[](){},?*'\"\\<>=!|&;^%"

func parsePath(text string) (*path, error) {
	p := &parser{text: text}
	found, err := p.path()
	if err == nil && p.pos < len(text) {
		err = p.errorf("unexpected %q", p.rest(10))
	}
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", text, err)
	}
	return found, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("at %d: "+format, append([]any{p.pos}, args...)...)
}

func (p *parser) rest(n int) string { return p.text[p.pos:min(len(p.text), p.pos+n)] }

func (p *parser) next() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) accept(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) spaces() {
	for p.next() == ' ' {
		p.pos++
	}
}

func (p *parser) path() (*path, error) {
	start := p.pos
	if !p.accept("$") {
		return nil, p.errorf("a path starts with $")
	}
	context := p.accept("$")
	if c := p.next(); c != 0 && c != '.' && c != '[' && strings.IndexByte(" ,)=<>!&|]", c) < 0 {
		return nil, p.errorf("$ is followed by %q: variables are not supported, and members need a dot", p.rest(1))
	}
	segments, err := p.segments()
	return newPath(p.text[start:p.pos], context, segments), err
}

func (p *parser) segments() ([]segment, error) {
	var all []segment
	for {
		var s segment
		var err error
		switch {
		case p.accept(".."):
			s, err = p.step()
			s = descent{s}
		case p.accept("."):
			if p.next() == '[' {
				return nil, p.errorf("a bracket after a dot")
			}
			s, err = p.step()
		case p.next() == '[':
			s, err = p.bracket()
		default:
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
}

// step is what may follow a dot.
func (p *parser) step() (segment, error) {
	switch {
	case p.accept("*"):
		return wildcard{}, nil
	case p.next() == '[':
		return p.bracket()
	}
	var name strings.Builder
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if r == '\\' {
			p.pos++
			r, size = utf8.DecodeRuneInString(p.text[p.pos:])
			if size == 0 {
				return nil, p.errorf("nothing after the backslash")
			}
		} else if r < ' ' || strings.ContainsRune(notInNames, r) {
			break
		}
		name.WriteRune(r)
		p.pos += size
	}
	switch {
	case name.Len() == 0:
		return nil, p.errorf("a name is missing")
	case p.next() == '(':
		return nil, p.errorf("functions in paths are not supported")
	}
	return member(name.String()), nil
}

func (p *parser) bracket() (segment, error) {
	p.pos++ // the bracket
	p.spaces()
	var s segment
	var err error
	switch c := p.next(); {
	case c == '*':
		p.pos++
		s = wildcard{}
	case c == '?':
		p.pos++
		s, err = p.filter()
	case c == '\'' || c == '"':
		s, err = p.union(p.quotedMember)
	case c == ':' || c == '-' || c >= '0' && c <= '9':
		s, err = p.indexes()
	case c == '(':
		err = p.errorf("scripts in paths are not supported")
	default:
		err = p.errorf("a bracket must hold a quoted name, an index, a slice, * or a filter")
	}
	if err != nil {
		return nil, err
	}
	p.spaces()
	if !p.accept("]") {
		return nil, p.errorf("] is missing")
	}
	return s, nil
}

// union reads one or more of the same kind, separated by commas.
func (p *parser) union(one func() (segment, error)) (segment, error) {
	var all union
	for {
		s, err := one()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		p.spaces()
		if !p.accept(",") {
			break
		}
		p.spaces()
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p *parser) quotedMember() (segment, error) {
	s, err := p.quoted()
	return member(s), err
}

// quoted reads a string in single or double quotes, in which a backslash takes the next character as it is.
func (p *parser) quoted() (string, error) {
	quote := p.next()
	if quote != '\'' && quote != '"' {
		return "", p.errorf("a quote is missing")
	}
	var s strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		if c == quote {
			p.pos++
			return s.String(), nil
		}
		if c == '\\' && p.pos+1 < len(p.text) {
			p.pos++
			c = p.text[p.pos]
		}
		s.WriteByte(c)
	}
	return "", p.errorf("the closing quote is missing")
}

func (p *parser) indexes() (segment, error) {
	from, err := p.optionalInt()
	if err != nil {
		return nil, err
	}
	if p.accept(":") {
		to, err := p.optionalInt()
		if err == nil && p.next() == ':' {
			err = p.errorf("slices with a step are not supported")
		}
		return slice{from, to}, err
	}
	p.pos = strings.LastIndexByte(p.text[:p.pos], '[') + 1
	p.spaces()
	return p.union(func() (segment, error) {
		n, err := p.optionalInt()
		if err == nil && n == nil {
			err = p.errorf("an index is missing")
		}
		if err != nil {
			return nil, err
		}
		return index(*n), nil
	})
}

func (p *parser) optionalInt() (*int, error) {
	start := p.pos
	p.accept("-")
	for p.next() >= '0' && p.next() <= '9' {
		p.pos++
	}
	if p.pos == start {
		return nil, nil
	}
	n, err := strconv.ParseInt(p.text[start:p.pos], 10, 32)
	if err != nil {
		return nil, p.errorf("%q is not an index", p.text[start:p.pos])
	}
	i := int(n)
	return &i, nil
}
