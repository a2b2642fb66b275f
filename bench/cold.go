package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// coldStart is what is measured of a function's start.
type coldStart struct {
	function string
	size     int64    // of its binary, bytes
	samples  []sample // wall: from before its process is made to its first request for an event
}

const (
	coldRuns = 20
	// coldGoal is for the functions that an execution waits for again and again.
	coldGoal = 25 * time.Millisecond
)

var coldGoalOf = map[string]bool{"launch": true, "poll": true}

// measureCold starts every function, in turns, as Lambda does in a new environment.
func (s *setup) measureCold(ctx context.Context, r *report) error {
	mains, err := filepath.Glob(filepath.Join("..", "functions", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		return fmt.Errorf("no functions in ../functions: %w", err)
	}
	for _, path := range mains {
		name := filepath.Base(filepath.Dir(path))
		binary, err := s.buildFunction(ctx, name)
		if err != nil {
			return err
		}
		info, err := os.Stat(binary)
		if err != nil {
			return err
		}
		r.cold = append(r.cold, coldStart{function: name, size: info.Size()})
	}
	failed := map[string]bool{}
	for range coldRuns {
		for i := range r.cold {
			c := &r.cold[i]
			if failed[c.function] {
				continue
			}
			one, err := s.startCold(ctx, filepath.Join(s.dir, c.function))
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed[c.function] = true
				r.failures = append(r.failures, fmt.Sprintf("Cold start, %s: %v", c.function, err))
				continue
			}
			c.samples = append(c.samples, one)
		}
	}
	return nil
}

func (s *setup) startCold(ctx context.Context, binary string) (sample, error) {
	if s.under != "" {
		var err error
		if binary, err = wrapped(s.dir, s.under, binary); err != nil {
			return sample{}, err
		}
	}
	f, err := newFunction(binary, deployed())
	if err != nil {
		return sample{}, err
	}
	return f.start(ctx)
}

// wrapped is an executable that runs the binary under another program.
func wrapped(dir, under, binary string) (string, error) {
	path := filepath.Join(dir, filepath.Base(binary)+".sh")
	return path, os.WriteFile(path, []byte("#!/bin/sh\nexec "+under+" '"+binary+"'\n"), 0o755)
}

// deployed is an environment such as template.yaml gives the functions: each finds there what it looks for.
func deployed() []string {
	const account = "000000000000"
	return []string{
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_CONFIG_FILE=/dev/null",
		"LOG_LEVEL=info", "STACK_NAME=bench", "BUCKET=bench", "BUCKET_OWNER=" + account,
		"KEY_PREFIX=archives/", "SCENARIO_SECRET_ARN=arn:aws:secretsmanager:us-east-1:" + account + ":secret:bench-AbCdEf",
		"STATE_MACHINE_ARN=arn:aws:states:us-east-1:" + account + ":stateMachine:archive",
		"BATCH_STATE_MACHINE_ARN=arn:aws:states:us-east-1:" + account + ":stateMachine:batch", "PAGE=on",
	}
}

// coldSection is the report's table.
func coldSection(starts []coldStart, under string) string {
	if len(starts) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n## Cold starts: from a new process to its first request for an event\n\n" +
		"| function | median (least to most) | CPU | RSS then | binary | runs |\n|---|---|---|---|---|---|\n")
	var verdicts []string
	for _, c := range starts {
		if len(c.samples) == 0 {
			fmt.Fprintf(&b, "| %s | failed | | | %.1f MB | 0 |\n", c.function, float64(c.size)/1e6)
			continue
		}
		v := summarize(c.samples)
		fmt.Fprintf(&b, "| %s | %s ms (%s to %s) | %s ms | %d MiB | %.1f MB | %d |\n", c.function, milliseconds(v.wall),
			milliseconds(v.least), milliseconds(v.most), milliseconds(v.cpu), v.rss>>20, float64(c.size)/1e6, len(c.samples))
		if coldGoalOf[c.function] {
			word := "meets"
			if v.wall > coldGoal {
				word = "misses"
			}
			verdicts = append(verdicts, fmt.Sprintf("%s %s %d ms", c.function, word, coldGoal.Milliseconds()))
		}
	}
	switch {
	case under != "":
		fmt.Fprintf(&b, "\nUnder %s: it shows that they start, not how fast.\n", under)
	case len(verdicts) > 0:
		fmt.Fprintf(&b, "\nThe goal: %s.\n", strings.Join(verdicts, ", "))
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/1e6) }
