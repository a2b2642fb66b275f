package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// result is how an execution ended.
type result struct {
	status       asl.Status
	error, cause string
	output       json.RawMessage
	took         time.Duration
	times        display.Times
}

// reporter shows results on the screen, and prints their outputs.
type reporter struct {
	screen *display.Screen
	logs   string                          // directory of the functions' logs
	path   func(bucket, key string) string // the file of an object
}

// report shows how an execution ended and returns the exit status. Only the output of one that succeeded goes to stdout.
func (p reporter) report(stdout io.Writer, r result) int {
	if r.status != asl.StatusSucceeded {
		p.screen.Failure(r.error, r.cause, "The functions' logs are in "+relative(p.logs)+".")
		return statusFailed
	}
	if err := p.summary(r); err != nil {
		p.screen.Problem(fmt.Errorf("the execution's output: %w", err))
		return statusFailed
	}
	return printJSON(p.screen, stdout, r.output)
}

// printJSON writes a JSON document for people, and returns the exit status.
func printJSON(screen *display.Screen, stdout io.Writer, document []byte) int {
	var text bytes.Buffer
	if err := json.Indent(&text, document, "", "  "); err != nil {
		screen.Problem(err)
		return statusFailed
	}
	text.WriteByte('\n')
	if _, err := stdout.Write(text.Bytes()); err != nil {
		screen.Problem(fmt.Errorf("the output could not be written: %w", err))
		return statusFailed
	}
	return statusOK
}

// summary shows what was made. The outputs of the state machines differ: a batch's names its manifest.
func (p reporter) summary(r result) error {
	var out struct {
		Manifest string `json:"manifest"`
	}
	if err := json.Unmarshal(r.output, &out); err != nil {
		return err
	}
	p.screen.Line("")
	if out.Manifest != "" {
		return p.batchSummary(r)
	}
	return p.archiveSummary(r)
}

func (p reporter) archiveSummary(r result) error {
	var out archive.Output
	if err := json.Unmarshal(r.output, &out); err != nil || out.Key == "" {
		return err
	}
	p.screen.Line("Archive:  %s (%s, %d files)", relative(p.path(out.Bucket, out.Key)), display.Bytes(out.Size), out.Entries)
	if m := out.Missing; m != nil {
		p.screen.Line("Missing:  %d of the %d assets that were asked for are not in the archive%s", m.Count, out.Requested, names(m.AssetIDs))
	}
	unpack := ""
	if u := out.Unpacked; u != nil {
		p.screen.Line("Folder:   %s (%s, %d files)", relative(p.path(out.Bucket, u.Prefix)), display.Bytes(u.Bytes), u.Objects)
		unpack = ", unpack " + display.Duration(r.times.Unpack)
	}
	p.screen.Line("Time:     launch %s, Scenario's job %s, transfer %s%s; in all %s", display.Duration(r.times.Launch),
		display.Duration(r.times.Job), display.Duration(r.times.Transfer), unpack, display.Duration(r.took))
	return nil
}

// names lists the missing assets, as far as they are known.
func names(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ": " + archive.Names(ids)
}

func (p reporter) batchSummary(r result) error {
	var out batch.Output
	if err := json.Unmarshal(r.output, &out); err != nil {
		return err
	}
	t := out.Totals
	p.screen.Line("Archives: %d (%s, %d files)", t.Archives, display.Bytes(t.Size), t.Entries)
	if t.Failed > 0 {
		p.screen.Line("Failed:   %d archives with %d assets; the manifest names them", t.Failed, t.Missing)
	}
	p.screen.Line("Manifest: %s", relative(p.path(out.Bucket, out.Manifest)))
	p.screen.Line("Time:     %s", display.Duration(r.took))
	return nil
}
