package system

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
)

// definition is a state machine's definition, and the functions that it calls.
type definition struct {
	name      string
	text      []byte
	functions []string // names, as of the directories under functions/
}

// functionSuffix ends the placeholders that name functions, such as ${LaunchFunctionArn}.
const functionSuffix = "FunctionArn"

// readDefinition finds out what a definition needs.
func readDefinition(repo, name string) (d definition, err error) {
	d.name = name
	if d.text, err = os.ReadFile(filepath.Join(repo, "statemachine", name+".asl.json")); err != nil {
		return d, err
	}
	_, err = stepfunctions.Substitute(d.text, func(name string) (string, bool) {
		if function, ok := strings.CutSuffix(name, functionSuffix); ok {
			d.functions = append(d.functions, strings.ToLower(function))
		}
		return "", true
	})
	return d, err
}

// definitions reads the definitions of the state machines that this system runs. A sync asks Step Functions what else
// runs, and so needs them to be served.
func (s *System) definitions() ([]definition, error) {
	names := []string{ArchiveMachine, BatchMachine}
	if s.options.StepFunctions.Addr != "" {
		names = append(names, SyncMachine)
	}
	var list []definition
	for _, name := range names {
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

// machines are the definitions with this system's names put in.
func (s *System) machines(list []definition) ([]stepfunctions.MachineConfig, error) {
	var all []stepfunctions.MachineConfig
	for _, d := range list {
		text, err := stepfunctions.Substitute(d.text, s.substitution)
		if err != nil {
			return nil, fmt.Errorf("statemachine/%s.asl.json: %w", d.name, err)
		}
		all = append(all, stepfunctions.MachineConfig{Name: d.name, Definition: text})
	}
	return all, nil
}

func (s *System) substitution(name string) (string, bool) {
	if function, ok := strings.CutSuffix(name, functionSuffix); ok {
		return s.Functions.ARN(strings.ToLower(function)), true
	}
	value, ok := map[string]string{
		"ArchiveStateMachineArn": machineARN(ArchiveMachine), "BatchStateMachineArn": machineARN(BatchMachine),
		"Partition": "aws", // in the ARNs of integrations
	}[name]
	return value, ok
}
