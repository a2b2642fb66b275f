package sfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
)

// placeholder is what SAM's DefinitionSubstitutions replace. \w is ASCII.
var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// LoadDefinition reads a definition file and replaces each ${Name} by its substitution. A ${Name} without a
// substitution is an error, and so is a substitution that the file does not use.
func LoadDefinition(path string, substitutions map[string]string) ([]byte, error) {
	machines, err := LoadDefinitions(map[string]string{"": path}, substitutions)
	if err != nil {
		return nil, err
	}
	return machines[0].Definition, nil
}

// LoadDefinitions is LoadDefinition for several machines, by name, that share substitutions: each must be used by one
// of the files at least. The machines come sorted by name.
func LoadDefinitions(files, substitutions map[string]string) ([]MachineConfig, error) {
	var problems []error
	var machines []MachineConfig
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text, err := os.ReadFile(files[name])
		if err == nil {
			text, err = Substitute(text, func(name string) (string, bool) {
				used[name] = true
				v, ok := substitutions[name]
				return v, ok
			})
			if err != nil {
				err = fmt.Errorf("%s: %w", files[name], err)
			}
		}
		if err != nil {
			problems = append(problems, err)
		}
		machines = append(machines, MachineConfig{Name: name, Definition: text})
	}
	for _, name := range slices.Sorted(maps.Keys(substitutions)) {
		if !used[name] {
			problems = append(problems, fmt.Errorf("the substitution %s is not used", name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return machines, nil
}

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
