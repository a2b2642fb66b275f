package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/local/display"
	"github.com/scenario-archive/scenario-archive/local/system"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// The exit statuses of run and up.
const (
	statusOK          = 0
	statusFailed      = 1   // the execution has failed
	statusUsage       = 2   // the arguments, the request or the machine are not as they should be
	statusInterrupted = 130 // as a shell has it for Ctrl-C
)

// cleanUpTime is how long the end of an interrupted run may take to remove what the run has put into S3.
const cleanUpTime = 20 * time.Second

// run is one archive, whole.
type run struct {
	settings
	input   string
	batch   bool
	dryRun  bool
	request []byte
	view    *display.View
}

func cmdRun(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return new(run).main(ctx, args, stdout, stderr)
}

func (r *run) main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := r.systemFlags("local run", "One archive, whole. The output JSON is all that goes to standard output.", stderr)
	flags.StringVar(&r.input, "input", "", "`file` with the request, - for standard input (default: a sample)")
	flags.BoolVar(&r.batch, "batch", false, "run more assets than one archive takes as a batch of archives")
	flags.BoolVar(&r.dryRun, "dry-run", false, "ask what the archive would cost, and make none")
	return r.settings.main(flags, args, func() int {
		if err := r.prepare(); err != nil {
			return r.problem(ctx, err)
		}
		return r.run(ctx, stdout)
	})
}

func (r *run) prepare() (err error) {
	if r.request, err = readRequest(r.input, os.Stdin); err != nil {
		return err
	}
	if err := r.settings.prepare(); err != nil {
		return err
	}
	if r.input == "" && r.scenario.Public() {
		return errors.New("the real Scenario needs a request of yours: the sample's assets exist at the stand-in alone. " +
			"Give one with INPUT=file.json")
	}
	return nil
}

// problem shows why no execution was started, and returns the exit status.
func (r *run) problem(ctx context.Context, err error) int {
	if ctx.Err() != nil {
		r.screen.Line("Interrupted.")
		return statusInterrupted
	}
	if name := archive.NameOf(err); name != "" {
		r.screen.Failure(string(name), err.Error(), "")
		return statusUsage
	}
	return r.refuse(err)
}

func (r *run) run(ctx context.Context, stdout io.Writer) int {
	started := time.Now()
	o := r.options()
	o.S3 = system.Address{Name: "S3", Addr: "127.0.0.1:0"}
	o.StandIn = system.Address{Name: "the Scenario stand-in", Addr: "127.0.0.1:0"}
	s, err := system.Start(ctx, o)
	if err != nil {
		return r.problem(ctx, err)
	}
	defer s.Close()
	if left, err := s.AbandonLeft(ctx); err != nil {
		return r.problem(ctx, fmt.Errorf("clean up after a run that was killed: %w", err))
	} else if left > 0 {
		r.screen.Line("A run before this one was killed; what it had left in S3 has been removed.")
	}
	r.announce(s, time.Since(started))
	if r.dryRun {
		return r.estimate(ctx, s, stdout)
	}
	return r.execute(ctx, s, stdout)
}

func (r *run) announce(s *system.System, took time.Duration) {
	if s.StandIn {
		r.screen.Line("Scenario: the stand-in (set SCENARIO_API_KEY and SCENARIO_API_SECRET for the real one)")
	} else {
		r.screen.Line("Scenario: %s", s.Scenario.BaseURL)
	}
	what := "a sample of 24 assets (INPUT=file.json for your own)"
	if r.input != "" {
		what = r.input
	}
	r.screen.Line("Request:  %s", what)
	r.screen.Line("Ready after %s.", display.Duration(took))
	r.screen.Line("")
}

func (r *run) execute(ctx context.Context, s *system.System, stdout io.Writer) int {
	started := time.Now()
	machine, name := r.machine(), executionName(started)
	arn := system.ExecutionARN(machine, name)
	if machine == system.BatchMachine {
		r.view = r.screen.BatchView(arn, started)
	} else {
		r.view = r.screen.View(arn, started)
	}
	defer r.view.Close()
	defer s.Watch(func(u stepfunctions.Update) { r.view.Event(u.ExecutionARN, u.Event) }, r.view.Bytes)()
	if _, err := s.StepFunctions.Start(s.StepFunctions.MachineARN(machine), name, r.request); err != nil {
		return r.problem(ctx, err)
	}
	ended, err := s.StepFunctions.Wait(ctx, arn)
	if err != nil { // Ctrl-C: nothing else ends the waiting
		return r.interrupted(s, arn, stdout)
	}
	r.view.Close()
	return r.report(stdout, ended, r.view.Times())
}

// machine is the state machine that takes the request.
func (r *run) machine() string {
	if r.batch || namesList(r.request) {
		return system.BatchMachine
	}
	return system.ArchiveMachine
}

// executionName is readable, sorts by time, and is not used twice: the archive's default key is made of it.
func executionName(now time.Time) string {
	var suffix [2]byte
	_, _ = rand.Read(suffix[:]) // never fails (crypto/rand)
	return fmt.Sprintf("run-%s-%x", now.UTC().Format("20060102-150405"), suffix)
}

// interrupted stops the execution and removes what it has left, unless it was already done.
func (r *run) interrupted(s *system.System, arn string, stdout io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTime)
	defer cancel()
	stopped, err := s.Abandon(ctx, arn)
	if err == nil && !stopped {
		if e, err := s.StepFunctions.Describe(arn); err == nil {
			r.view.Close()
			return r.report(stdout, e, r.view.Times())
		}
	}
	r.view.Close()
	switch {
	case err != nil:
		r.screen.Line("Interrupted. The unfinished upload may be left in S3: %v", err)
	case r.machine() == system.BatchMachine:
		r.screen.Line("Interrupted. Archives that were finished stay in S3; nothing of the others was left.")
	default:
		r.screen.Line("Interrupted. Nothing was left in S3.")
	}
	return statusInterrupted
}

// estimate asks what the archive would cost, and makes none. What Scenario answers goes to standard output.
func (r *run) estimate(ctx context.Context, s *system.System, stdout io.Writer) int {
	request, err := archive.ParseRequest(r.request)
	if err != nil {
		return r.problem(ctx, err)
	}
	client, err := scenario.New(scenario.Options{
		BaseURL: s.Scenario.BaseURL, Credentials: scenario.StaticCredentials(s.Scenario.Key, s.Scenario.Secret),
	})
	if err != nil {
		return r.problem(ctx, err)
	}
	estimate, err := client.EstimateArchive(ctx, scenario.ArchiveRequest{
		Query: request.Query, Options: request.Options, ProjectID: request.ProjectID,
	})
	if err != nil {
		err = archive.FromScenario(err)
		r.screen.Failure(string(archive.NameOf(err)), err.Error(), "")
		return statusFailed
	}
	if cost := estimate.CreativeUnitsCost; cost != nil {
		r.screen.Line("The archive would cost %s creative units. None was made.", fmt.Sprint(*cost))
	} else {
		r.screen.Line("Scenario names no creative units; its answer is below. No archive was made.")
	}
	return printJSON(r.screen, stdout, estimate.Raw)
}
