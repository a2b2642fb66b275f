package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// ending tells a person how an execution has ended, and gives the exit status for it.
type ending struct {
	screen *display.Screen
	times  display.Times
	logs   string                          // directory of the functions' logs
	path   func(bucket, key string) string // the file of an object
}

func (n ending) tell(stdout io.Writer, status asl.Status, errorName, cause string, output []byte, took time.Duration) int {
	if status != asl.StatusSucceeded {
		n.screen.Failure(errorName, cause, "The functions' logs are in "+relative(n.logs)+".")
		return statusFailed
	}
	var out struct {
		Bucket, Key string
		Size        int64
		Entries     int64
	}
	if err := json.Unmarshal(output, &out); err != nil {
		n.screen.Problem(fmt.Errorf("the execution's output: %w", err))
		return statusFailed
	}
	n.screen.Line("")
	if out.Key != "" { // else it is no archive's
		n.screen.Line("Archive:  %s (%s, %d files)", relative(n.path(out.Bucket, out.Key)), display.Bytes(out.Size), out.Entries)
		n.screen.Line("Time:     launch %s, Scenario's job %s, transfer %s; in all %s", display.Duration(n.times.Launch),
			display.Duration(n.times.Job), display.Duration(n.times.Transfer), display.Duration(took))
	}
	return n.print(stdout, output)
}

func (n ending) print(stdout io.Writer, output json.RawMessage) int {
	var text bytes.Buffer
	if err := json.Indent(&text, output, "", "  "); err != nil {
		n.screen.Problem(err)
		return statusFailed
	}
	text.WriteByte('\n')
	if _, err := stdout.Write(text.Bytes()); err != nil {
		n.screen.Problem(fmt.Errorf("the output could not be written: %w", err))
		return statusFailed
	}
	return statusOK
}
