package system

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/objects"
)

// invoker puts refusals by Lambda into the words that state machines match.
type invoker struct{ functions *lambda.Service }

func (i invoker) Invoke(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
	result, functionError, err := i.functions.Invoke(ctx, function, payload)
	var refused *lambda.Error
	if errors.As(err, &refused) {
		err = &asl.Error{Name: "Lambda." + refused.Code, Cause: refused.Message}
	}
	return result, functionError, err
}

func (s *System) startStepFunctions() error {
	dir := filepath.Join(s.dir, s.options.ExecutionsDir)
	if s.options.ExecutionsDir == "" {
		dir = filepath.Join(s.dir, "run")
		s.onClose(func() { _ = os.RemoveAll(dir) })
	}
	if err := s.newStepFunctions(dir); err != nil {
		return err
	}
	// Before the functions are: what runs must be interrupted, so that it can go on, and not fail with its function.
	s.onClose(func() { _ = s.StepFunctions.Close() })
	if s.stepFunctions != nil {
		s.serveOn(s.stepFunctions, loopback.Guard(s.StepFunctions))
	}
	return nil
}

func (s *System) newStepFunctions(dir string) error {
	machines, err := s.machines()
	if err != nil {
		return err
	}
	client, closeIdle, err := s.S3.Connect(0) // a list is read as long as the map's children take
	if err != nil {
		return err
	}
	s.onClose(closeIdle)
	s.StepFunctions, err = stepfunctions.New(stepfunctions.Config{
		Machines: machines, Invoker: invoker{s.Functions}, Dir: dir,
		Objects: objects.Bucket{Client: client}, Logger: s.problems("stepfunctions"),
	})
	return err
}
