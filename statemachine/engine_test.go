package statemachine_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// engine is Step Functions with one definition.
type engine struct {
	*sfn.Client
	service *sfntest.Server
	machine string // its ARN
}

func executionName(i int) string { return fmt.Sprintf("case-%03d", i) }

// startMachine serves a definition whose functions the script plays.
func startMachine(t *testing.T, functions *script, definition []byte) engine {
	t.Helper()
	s := sfntest.Start(t, sfntest.WithLambda(functions), sfntest.WithMachines(emulator.MachineConfig{Name: "m", Definition: definition}))
	return engine{s.Client(), s, s.MachineARN("m")}
}

// readDefinition reads a definition of this directory, with names of functions and machines put in.
func readDefinition(t *testing.T, file string) []byte {
	t.Helper()
	text, err := sfntest.Definition(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
