package system

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
)

// functionSuffix ends the placeholders that name functions, such as ${LaunchFunctionArn}.
const functionSuffix = "FunctionArn"

// definitions reads the definitions of the state machines that this system runs. A sync asks Step Functions what else
// runs, and so needs them to be served.
func (s *System) definitions() (list []stepfunctions.MachineConfig, err error) {
	names := []string{ArchiveMachine, BatchMachine}
	if s.options.StepFunctions.Addr != "" {
		names = append(names, SyncMachine)
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(s.options.Repo, "statemachine", name+".asl.json"))
		if err != nil {
			return nil, err
		}
		list = append(list, stepfunctions.MachineConfig{Name: name, Definition: text})
	}
	return list, nil
}

// functionNames are the functions that the definitions call, by their directories under functions/.
func functionNames(list []stepfunctions.MachineConfig) (names []string) {
	for _, d := range list {
		_, _ = stepfunctions.Substitute(d.Definition, func(name string) (string, bool) { // every name is taken
			if function, ok := strings.CutSuffix(name, functionSuffix); ok {
				names = append(names, strings.ToLower(function))
			}
			return "", true
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// machines are the definitions with this system's names put in.
func (s *System) machines() (list []stepfunctions.MachineConfig, err error) {
	for _, d := range s.served {
		if d.Definition, err = stepfunctions.Substitute(d.Definition, s.substitution); err != nil {
			return nil, fmt.Errorf("statemachine/%s.asl.json: %w", d.Name, err)
		}
		list = append(list, d)
	}
	return list, nil
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
