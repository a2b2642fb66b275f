package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// report shows how an execution ended and returns the exit status. Only the output of one that succeeded goes to stdout.
func (c *settings) report(stdout io.Writer, e stepfunctions.Execution, times display.Times) int {
	if e.Status != asl.StatusSucceeded {
		c.screen.Failure(e.Error, e.Cause, "The functions' logs are in "+relative(filepath.Join(c.dir, "logs"))+".")
		return statusFailed
	}
	if err := c.summary(e, times); err != nil {
		c.screen.Problem(fmt.Errorf("the execution's output: %w", err))
		return statusFailed
	}
	return printJSON(c.screen, stdout, e.Output)
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
func (c *settings) summary(e stepfunctions.Execution, times display.Times) error {
	took := display.Duration(e.StopDate.Sub(e.StartDate.Time))
	var manifest struct{ Manifest string }
	if err := json.Unmarshal(e.Output, &manifest); err != nil {
		return err
	}
	c.screen.Line("")
	if manifest.Manifest == "" {
		return c.archiveSummary(e.Output, times, took)
	}
	var out batch.Output
	if err := json.Unmarshal(e.Output, &out); err != nil {
		return err
	}
	t := out.Totals
	c.screen.Line("Archives: %d (%s, %d files)", t.Archives, display.Bytes(t.Size), t.Entries)
	if t.Failed > 0 {
		c.screen.Line("Failed:   %d archives with %d assets; the manifest names them", t.Failed, t.Missing)
	}
	c.screen.Line("Manifest: %s", c.file(out.Bucket, out.Manifest))
	c.screen.Line("Time:     %s", took)
	return nil
}

func (c *settings) archiveSummary(output []byte, times display.Times, took string) error {
	var out archive.Output
	if err := json.Unmarshal(output, &out); err != nil || out.Key == "" {
		return err
	}
	c.screen.Line("Archive:  %s (%s, %d files)", c.file(out.Bucket, out.Key), display.Bytes(out.Size), out.Entries)
	if m := out.Missing; m != nil {
		names := "" // as far as they are known
		if len(m.AssetIDs) > 0 {
			names = ": " + archive.Names(m.AssetIDs)
		}
		c.screen.Line("Missing:  %d of the %d assets that were asked for are not in the archive%s", m.Count, out.Requested, names)
	}
	unpack := ""
	if u := out.Unpacked; u != nil {
		c.screen.Line("Folder:   %s (%s, %d files)", c.file(out.Bucket, u.Prefix), display.Bytes(u.Bytes), u.Objects)
		unpack = ", unpack " + display.Duration(times.Unpack)
	}
	c.screen.Line("Time:     launch %s, Scenario's job %s, transfer %s%s; in all %s", display.Duration(times.Launch),
		display.Duration(times.Job), display.Duration(times.Transfer), unpack, took)
	return nil
}

// file is an object's file.
func (c *settings) file(bucket, key string) string {
	return relative(filepath.Join(c.dir, "s3", bucket, filepath.FromSlash(key)))
}

// relative is the path as a person would type it here.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
