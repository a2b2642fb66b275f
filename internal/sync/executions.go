package sync

import (
	"context"
	"errors"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// machine is the sync state machine as Executions.
type machine struct{ *executions.Machine }

// ExecutionsOf is the Executions of the state machine that an execution is of. (The function cannot have the machine's ARN in
// its environment: the machine names the function.)
func ExecutionsOf(api executions.API, e archive.Execution) (Executions, error) {
	name := strings.LastIndexByte(e.ID, ':')
	m, err := executions.New(api, strings.Replace(e.ID[:max(name, 0)], ":execution:", ":stateMachine:", 1))
	if err != nil {
		return nil, archive.NewError(archive.RequestInvalid, err, "the event's execution.id is no execution's ARN")
	}
	return machine{m}, nil
}

// Running implements Executions.
func (m machine) Running(ctx context.Context, arn string) (bool, error) {
	e, err := m.Describe(ctx, arn[strings.LastIndexByte(arn, ':')+1:])
	if executions.IsKind(err, executions.KindNotFound) {
		return false, nil
	}
	return err == nil && !e.Ended(), named(err)
}

// Start implements Executions. An execution of the name is this one, whatever its input: the name is made for it.
func (m machine) Start(ctx context.Context, name string, input []byte) error {
	_, err := m.Machine.Start(ctx, name, string(input))
	if executions.IsKind(err, executions.KindOtherInput) {
		return nil
	}
	return named(err)
}

func named(err error) error {
	var failed *executions.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed) && failed.Kind.Transient():
		return archive.NewError(archive.DestinationUnavailable, err, "Step Functions did not do what was asked: %v. Try again later", err)
	}
	return archive.NewError(archive.Misconfigured, err, "Step Functions refuses this deployment: %v. Check the function's role", err)
}
