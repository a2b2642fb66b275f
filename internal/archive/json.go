package archive

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of a request. It needs three levels.
const maxDepth = 16

// CheckJSON refuses what a JSON decoder passes over: bytes that are no UTF-8, which it replaces, a name that an object
// has twice, of which it takes one value, and deep nesting. Text that is no JSON is left to the decoder to refuse. The
// error is RequestInvalid.
func CheckJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return invalid("the request is not in UTF-8; save or send it so")
	}
	var path []map[string]bool // the names of the objects around, nil for an array
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	isName := false
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		switch delim, _ := token.(json.Delim); delim {
		case '{':
			path = append(path, map[string]bool{})
		case '[':
			path = append(path, nil)
		case '}', ']':
			path = path[:len(path)-1]
		default:
			if name, _ := token.(string); isName {
				names := path[len(path)-1]
				if names[name] {
					return invalid("%q stands twice in one object of the request; give it once", Abbreviate(name))
				}
				names[name] = true
				isName = false
				continue
			}
		}
		if len(path) > maxDepth {
			return invalid("the request is nested deeper than %d levels", maxDepth)
		}
		isName = len(path) > 0 && path[len(path)-1] != nil
	}
}
