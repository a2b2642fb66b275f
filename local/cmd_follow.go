package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// follow shows an execution of a running system, however it was started.
type follow struct {
	settings
	id, url string
	view    *display.View
}

func cmdFollow(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return new(follow).main(ctx, args, stdout, stderr)
}

func (f *follow) main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return f.settings.main(f.flags(stderr), args, func() int {
		up, err := f.prepare()
		if err != nil {
			return f.refuse(err)
		}
		return f.run(ctx, up, stdout)
	})
}

func (f *follow) flags(stderr io.Writer) *flag.FlagSet {
	flags := f.settings.flags("local follow -id ID", "Shows an archive of `local up` until its end. Ctrl-C stops the following alone.", stderr)
	flags.StringVar(&f.id, "id", "", "the archive's `ID`, or the ARN of its execution")
	flags.StringVar(&f.url, "url", "", "`address` of the API (default: that of the system that is up)")
	return flags
}

// prepare finds the system that is up, and the execution's ARN.
func (f *follow) prepare() (*client, error) {
	if f.id == "" {
		return nil, errors.New("say which archive: make follow ID=…, with its ID or the ARN of its execution")
	}
	env, err := f.findUp()
	if err != nil {
		return nil, err
	}
	if f.url != "" {
		if u, err := url.Parse(f.url); err != nil || u.Host == "" {
			return nil, fmt.Errorf("-url: %q is not an address such as http://127.0.0.1:3000", f.url)
		}
		env["API_URL"] = f.url
	}
	if !strings.HasPrefix(f.id, "arn:") {
		f.id = executionARN(env["STATE_MACHINE_ARN"], f.id)
	}
	return newClient(env["AWS_ENDPOINT_URL_SFN"], env["API_URL"]), nil
}

func executionARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

func (f *follow) run(ctx context.Context, up *client, stdout io.Writer) int {
	e, err := up.describe(ctx, f.id)
	if err != nil {
		return f.stopped(ctx, err)
	}
	f.screen.Line("Following %s", name(f.id))
	f.screen.Line("")
	f.view = f.screen.View(f.id, aws.ToTime(e.StartDate))
	defer f.view.Close()
	h := history{client: up, arn: f.id}
	// The history comes after the look at the execution: of one that has ended, it then has all that there is.
	e, err = up.await(ctx, f.id, func() error {
		f.showBytes(ctx, up, h.state)
		return h.read(ctx, func(e asl.Event) { f.view.Event(f.id, e) })
	})
	if err != nil {
		return f.stopped(ctx, err)
	}
	f.view.Close()
	return f.report(stdout, stepfunctions.Execution{
		Status: asl.Status(e.Status), Error: aws.ToString(e.Error), Cause: aws.ToString(e.Cause), Output: []byte(aws.ToString(e.Output)),
		StartDate: stepfunctions.Timestamp{Time: aws.ToTime(e.StartDate)}, StopDate: stepfunctions.Timestamp{Time: aws.ToTime(e.StopDate)},
	}, f.view.Times())
}

// showBytes shows the progress of a transfer. Without an answer there is no bar, and nothing else is lost.
func (f *follow) showBytes(ctx context.Context, up *client, state string) {
	if state != "Transfer" {
		return
	}
	if m, err := up.moved(ctx, name(f.id)); err == nil && m.BytesTotal > 0 {
		f.view.Bytes(name(f.id), m.BytesDone, m.BytesTotal)
	}
}

// stopped shows why the execution cannot be followed further, and returns the exit status.
func (f *follow) stopped(ctx context.Context, err error) int {
	if f.view != nil {
		f.view.Close()
	}
	if ctx.Err() != nil {
		f.screen.Line("No longer following; the execution continues.")
		return statusInterrupted
	}
	return f.refuse(err)
}

// name is an execution's name, by its ARN.
func name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
