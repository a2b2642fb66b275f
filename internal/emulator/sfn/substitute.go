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
			if text, err = substitute(text, substitutions, used); err != nil {
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

// substitute puts the values in, each escaped as part of a JSON string, and adds their names to used.
func substitute(text []byte, values map[string]string, used map[string]bool) ([]byte, error) {
	var problems []error
	out := placeholder.ReplaceAllFunc(text, func(found []byte) []byte {
		name := string(found[2 : len(found)-1])
		value, ok := values[name]
		if !ok {
			problems = append(problems, fmt.Errorf("no substitution for ${%s}", name))
		}
		used[name] = true
		quoted, _ := json.Marshal(value) // a string always encodes
		return quoted[1 : len(quoted)-1]
	})
	return out, errors.Join(problems...)
}
