// Command local is the whole system on one machine: the real function binaries behind the Lambda Runtime API, the
// state machine definitions executed as they are, a real S3 server on disk, and Scenario or its stand-in.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// command is one subcommand: it gets its arguments without its name and returns the exit status.
type command func(ctx context.Context, args []string, stdout, stderr io.Writer) int

var commands = map[string]command{
	"run":           cmdRun,
	"up":            cmdUp,
	"follow":        cmdFollow,
	"sync":          cmdSync,
	"s3":            cmdS3,
	"stepfunctions": cmdStepfunctions,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends it at once; the kernel ends its children (see package process)
	}()
	os.Exit(dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(stderr, "usage: local run | up | follow | sync | s3 | stepfunctions [flags]")
		return 2
	}
	return commands[args[0]](ctx, args[1:], stdout, stderr)
}
