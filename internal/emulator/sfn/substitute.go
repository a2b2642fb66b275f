package sfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// placeholder is what SAM's DefinitionSubstitutions replace. \w is ASCII.
var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// Substitute puts a value in the place of each ${Name}, escaped as part of a JSON string. A name without a value is an
// error.
func Substitute(definition []byte, value func(name string) (string, bool)) ([]byte, error) {
	var problems []error
	out := placeholder.ReplaceAllFunc(definition, func(found []byte) []byte {
		name := string(found[2 : len(found)-1])
		v, ok := value(name)
		if !ok {
			problems = append(problems, fmt.Errorf("no substitution for ${%s}", name))
		}
		quoted, _ := json.Marshal(v) // a string always encodes
		return quoted[1 : len(quoted)-1]
	})
	return out, errors.Join(problems...)
}
