package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// addTo makes a flag of pairs name=value that may be given again and again.
func addTo(pairs map[string]string) func(string) error {
	return func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("must be name=value")
		}
		pairs[name] = value
		return nil
	}
}

// stepfunctionsFlags are the arguments of the subcommand.
type stepfunctionsFlags struct {
	addr, lambda            string
	machines, substitutions map[string]string
	clock                   asl.ScaledClock
}

func (o *stepfunctionsFlags) parse(args []string, stderr io.Writer) error {
	o.machines, o.substitutions = map[string]string{}, map[string]string{}
	f := flag.NewFlagSet("stepfunctions", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `address` to listen on")
	f.StringVar(&o.lambda, "lambda", "", "`URL` of a Lambda Invoke API")
	f.Func("machine", "`name=file` of a state machine's definition; may be repeated", addTo(o.machines))
	f.Func("substitute", "`name=value` for ${name} in the definitions; may be repeated", addTo(o.substitutions))
	f.Float64Var(&o.clock.Waits, "time-scale", 1, "`factor` for Wait states and retry delays")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.lambda == "" || len(o.machines) == 0 || o.clock.Waits <= 0 {
		return errors.New("-lambda and at least one -machine are needed, and a scale greater than 0; nothing else is taken")
	}
	var err error
	o.addr, err = system.ParseAddr(o.addr)
	return err
}

// cmdStepfunctions serves the Step Functions endpoint alone, until ctx ends.
func cmdStepfunctions(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o stepfunctionsFlags
	err := o.parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "local stepfunctions:", err)
		return 2
	}
	if err := o.serve(ctx, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "local stepfunctions:", err)
		return 1
	}
	return 0
}

func (o *stepfunctionsFlags) serve(ctx context.Context, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "stepfunctions")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	machines, err := o.definitions()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := stepfunctions.New(stepfunctions.Config{
		Machines: machines, Invoker: stepfunctions.HTTPInvoker{Endpoint: o.lambda}, Dir: dir, Clock: o.clock,
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	return errors.Join(o.answer(ctx, l, s, stdout), s.Close())
}

// definitions reads the machines' files.
func (o *stepfunctionsFlags) definitions() ([]stepfunctions.MachineConfig, error) {
	var all []stepfunctions.MachineConfig
	for name, path := range o.machines {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text, err = stepfunctions.Substitute(text, func(name string) (string, bool) { v, ok := o.substitutions[name]; return v, ok })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, stepfunctions.MachineConfig{Name: name, Definition: text})
	}
	return all, nil
}

// answer prints where the service is reached, and serves until ctx ends.
func (o *stepfunctionsFlags) answer(ctx context.Context, l net.Listener, s *stepfunctions.Service, stdout io.Writer) error {
	arns := map[string]string{}
	for name := range o.machines {
		arns[name] = s.MachineARN(name)
	}
	ready := map[string]any{"endpoint": "http://" + l.Addr().String(), "stateMachines": arns}
	if err := json.NewEncoder(stdout).Encode(ready); err != nil {
		return err
	}
	server := &http.Server{Handler: loopback.Guard(s), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
