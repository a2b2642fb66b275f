package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// syncRun runs one sync, or all, of a system that is up.
type syncRun struct {
	settings
	name string
	full bool
}

func cmdSync(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := &syncRun{}
	return s.main(s.flags(stderr), args, func() int {
		env, err := s.findUp()
		if err != nil {
			return s.refuse(err)
		}
		return s.run(ctx, newClient(env["AWS_ENDPOINT_URL_SFN"], env["API_URL"]), env["SYNC_STATE_MACHINE_ARN"], stdout)
	})
}

func (s *syncRun) flags(stderr io.Writer) *flag.FlagSet {
	flags := s.settings.flags("local sync -name NAME", "Runs a sync of `local up` until its end. Ctrl-C stops the waiting alone.", stderr)
	flags.StringVar(&s.name, "name", "", "the sync's `name`: syncs/<name>.json in the bucket (default: all syncs)")
	flags.BoolVar(&s.full, "full", false, "list everything again, and repair what is missing")
	return flags
}

func (s *syncRun) run(ctx context.Context, up *client, machine string, stdout io.Writer) int {
	input, err := json.Marshal(map[string]any{"name": s.name, "full": s.full})
	if err != nil {
		return s.refuse(err)
	}
	text := string(input)
	started, err := up.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Input: &text})
	if err != nil {
		s.screen.Problem(up.readable(err))
		return statusFailed
	}
	s.screen.Line("Syncing. The result will be in syncs/%s.status.json.", cmp.Or(s.name, "<name>"))
	e, err := up.await(ctx, *started.ExecutionArn, func() error { return nil })
	switch {
	case ctx.Err() != nil:
		s.screen.Line("Interrupted. The sync continues.")
		return statusInterrupted
	case err != nil:
		s.screen.Problem(err)
		return statusFailed
	case e.Status != types.ExecutionStatusSucceeded:
		s.screen.Failure(aws.ToString(e.Error), aws.ToString(e.Cause), "")
		return statusFailed
	}
	return printJSON(s.screen, stdout, []byte(aws.ToString(e.Output)))
}
