package system

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
)

// definition is a state machine's definition file, and the functions that it calls.
type definition struct {
	name, path string
	functions  []string // names, as of the directories under functions/
	names      []string // of the substitutions that it wants
}

var (
	placeholder      = regexp.MustCompile(`\$\{(\w+)\}`)
	functionSuffix   = "FunctionArn"
	archiveReference = "ArchiveStateMachineArn"
	batchReference   = "BatchStateMachineArn"
	partition        = "Partition" // of AWS, in the ARNs of integrations
)

// readDefinition finds out what a definition needs. Placeholders such as ${LaunchFunctionArn} name its functions.
func readDefinition(repo, name string) (definition, error) {
	d := definition{name: name, path: filepath.Join(repo, "statemachine", name+".asl.json")}
	text, err := os.ReadFile(d.path)
	if err != nil {
		return d, err
	}
	for _, match := range placeholder.FindAllStringSubmatch(string(text), -1) {
		if slices.Contains(d.names, match[1]) {
			continue
		}
		d.names = append(d.names, match[1])
		if function, ok := strings.CutSuffix(match[1], functionSuffix); ok {
			d.functions = append(d.functions, strings.ToLower(function))
		}
	}
	return d, nil
}

// machineNames are the state machines that this system runs. A sync asks Step Functions what else runs, and so needs them
// to be served.
func (s *System) machineNames() []string {
	names := []string{ArchiveMachine, BatchMachine}
	if s.options.StepFunctions.Addr != "" {
		names = append(names, SyncMachine)
	}
	return names
}

// definitions reads the definitions of all state machines.
func (s *System) definitions() ([]definition, error) {
	var list []definition
	for _, name := range s.machineNames() {
		d, err := readDefinition(s.options.Repo, name)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// functionNames are the functions that the definitions call.
func functionNames(list []definition) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.functions...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// machines loads the definitions with this system's names put in.
func (s *System) machines(list []definition) ([]stepfunctions.MachineConfig, error) {
	files, substitutions := map[string]string{}, map[string]string{}
	for _, d := range list {
		files[d.name] = d.path
		for _, name := range d.names {
			value, ok := s.substitution(name)
			if !ok {
				return nil, fmt.Errorf("%s wants ${%s}, which is not known here", d.path, name)
			}
			substitutions[name] = value
		}
	}
	return stepfunctions.LoadDefinitions(files, substitutions)
}

func (s *System) substitution(name string) (string, bool) {
	if function, ok := strings.CutSuffix(name, functionSuffix); ok {
		return s.Functions.ARN(strings.ToLower(function)), true
	}
	switch name {
	case archiveReference:
		return machineARN(ArchiveMachine), true
	case batchReference:
		return machineARN(BatchMachine), true
	case partition:
		return "aws", true
	}
	return "", false
}
