package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// place is a part of the system that a person may want elsewhere: by a flag, or by a variable.
type place struct {
	name, flag, variable, addr string
}

// up is the whole system, staying up.
type up struct {
	settings
	s3, stepFunctions, standIn, api place
}

func newUp() *up {
	return &up{
		s3:            place{"S3", "s3-addr", "LOCAL_S3_ADDR", "127.0.0.1:7070"},
		stepFunctions: place{"Step Functions", "stepfunctions-addr", "LOCAL_STEPFUNCTIONS_ADDR", "127.0.0.1:8083"},
		standIn:       place{"the Scenario stand-in", "scenario-addr", "LOCAL_SCENARIO_ADDR", "127.0.0.1:9090"},
		api:           place{"the API", "api-addr", "LOCAL_API_ADDR", "127.0.0.1:3000"},
	}
}

func (u *up) places() []*place { return []*place{&u.s3, &u.stepFunctions, &u.standIn, &u.api} }

func cmdUp(ctx context.Context, args []string, _, stderr io.Writer) int {
	return newUp().main(ctx, args, stderr)
}

func (u *up) main(ctx context.Context, args []string, stderr io.Writer) int {
	return u.settings.main(u.flags(stderr), args, func() int {
		if err := u.prepare(); err != nil {
			return u.refuse(err)
		}
		return u.run(ctx)
	})
}

func (u *up) flags(stderr io.Writer) *flag.FlagSet {
	flags := u.systemFlags("local up", "The whole system on this machine, until it is interrupted.", stderr)
	for _, p := range u.places() {
		if value := u.env(p.variable); value != "" {
			p.addr = value
		}
		flags.StringVar(&p.addr, p.flag, p.addr, fmt.Sprintf("`address` of %s on this machine; also %s", p.name, p.variable))
	}
	return flags
}

func (u *up) prepare() error {
	for _, p := range u.places() {
		addr, err := system.ParseAddr(p.addr)
		if err != nil {
			return fmt.Errorf("-%s (or %s): %w", p.flag, p.variable, err)
		}
		p.addr = addr
	}
	return u.settings.prepare()
}

func (p place) address() system.Address {
	return system.Address{Name: p.name, Addr: p.addr, Change: fmt.Sprintf("the flag -%s or the variable %s", p.flag, p.variable)}
}

func (u *up) run(ctx context.Context) int {
	feed := u.screen.Feed()
	o := u.options()
	o.S3, o.StepFunctions, o.StandIn = u.s3.address(), u.stepFunctions.address(), u.standIn.address()
	o.API = u.api.address()
	o.ExecutionsDir = "executions"
	s, err := system.Start(ctx, o)
	if err == nil {
		defer s.Close()
		defer s.Watch(func(u stepfunctions.Update) {
			feed.Event(u.ExecutionARN, u.Event)
			if u.ParentARN != "" {
				feed.Child(u.ParentARN, u.Event)
			}
		}, feed.Bytes)()
		err = s.WriteEnvironment()
	}
	switch {
	case ctx.Err() != nil:
		u.screen.Line("Stopped before it was up.")
		return statusInterrupted
	case err != nil:
		return u.refuse(err)
	}
	u.announce(s)
	return u.wait(ctx, s)
}

func (u *up) announce(s *system.System) {
	scenario := s.Scenario.BaseURL
	if s.StandIn {
		scenario += "  (the stand-in; its credentials are " + s.Scenario.Key + ":" + s.Scenario.Secret + ")"
	}
	u.screen.Line(`Up. Ctrl-C stops it.

  Page and API    %s
  Step Functions  %s
  S3              %s
  Scenario        %s
  Archives        %s
  Logs            %s

Try, in another terminal:

  . %s
  curl -d '%[8]s' \
      -H 'Content-Type: application/json' $API_URL/archives
  curl $API_URL/archives
  make follow ID=...
  echo '%[8]s' | aws s3 cp - s3://$BUCKET/requests/heroes.json
  aws s3 ls --recursive s3://$BUCKET/
  aws stepfunctions start-execution --state-machine-arn $STATE_MACHINE_ARN \
      --input '%[8]s'
`, s.APIURL, s.StepFunctionsURL, s.S3.Endpoint, scenario, u.file(system.Bucket, ""), relative(s.LogDir),
		relative(s.EnvironmentFile()), tryRequest)
}

const tryRequest = `{"query": {"assetIds": ["asset_hero", "asset_villain"]}}`

// wait returns when the person has had enough, or when a part has ended by itself.
func (u *up) wait(ctx context.Context, s *system.System) int {
	select {
	case <-ctx.Done():
		u.screen.Line("Stopping.")
		return statusOK
	case err := <-s.Broken():
		u.screen.Problem(err)
		return statusFailed
	}
}
