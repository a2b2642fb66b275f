package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// follow shows an execution of a running system, however it was started.
type follow struct {
	settings
	id, url string
	view    *display.View
	every   time.Duration
}

// followEvery is how often the history is asked for.
const followEvery = 300 * time.Millisecond

func cmdFollow(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return (&follow{every: followEvery}).main(ctx, args, stdout, stderr)
}

func (f *follow) main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if err := f.parse(f.flags(stderr), args); err != nil {
		return usage(err)
	}
	f.screen = display.NewScreen(stderr, f.env)
	defer f.screen.Close()
	up, err := f.prepare()
	if err != nil {
		f.screen.Problem(err)
		return statusUsage
	}
	return f.run(ctx, up, stdout)
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
	for ctx.Err() == nil {
		// Before the history: what the history then has is all that there is when this one has ended.
		if e, err = up.describe(ctx, f.id); err != nil {
			return f.stopped(ctx, err)
		}
		if err := h.read(ctx, func(e asl.Event) { f.view.Event(f.id, e) }); err != nil {
			return f.stopped(ctx, err)
		}
		if e.Status != types.ExecutionStatusRunning {
			return f.report(e, stdout)
		}
		f.showBytes(ctx, up, h.state)
		f.pause(ctx)
	}
	return f.stopped(ctx, ctx.Err())
}

func (f *follow) pause(ctx context.Context) {
	timer := time.NewTimer(f.every)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
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
	f.screen.Problem(err)
	return statusUsage
}

// report shows how the execution ended, and returns the exit status.
func (f *follow) report(e *sfn.DescribeExecutionOutput, stdout io.Writer) int {
	f.view.Close()
	return reporter{f.screen, filepath.Join(f.dir, "logs"), func(bucket, key string) string {
		return filepath.Join(f.dir, "s3", bucket, filepath.FromSlash(key))
	}}.report(stdout, result{
		status: asl.Status(e.Status), error: aws.ToString(e.Error), cause: aws.ToString(e.Cause), output: []byte(aws.ToString(e.Output)),
		took: aws.ToTime(e.StopDate).Sub(aws.ToTime(e.StartDate)).Round(time.Millisecond), times: f.view.Times(),
	})
}

// name is an execution's name, by its ARN.
func name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
