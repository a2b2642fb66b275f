package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

// buildFunction builds a function as it is deployed (see the Makefile).
func (s *setup) buildFunction(ctx context.Context, name string) (path string, err error) {
	path = filepath.Join(s.dir, name)
	build := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", path, "./functions/"+name)
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+s.arch)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build of the %s function: %w: %s", name, err, out)
	}
	return path, nil
}

// ours is the transfer function's own process, from its start to its answer.
func (s *setup) ours(concurrency int) program {
	return program{"ours", func(ctx context.Context, url string, at storage) (sample, error) {
		return at.call(ctx, s.function, archive.TransferInput{
			Job: archive.Job{ID: "job_bench"}, ArchiveURL: url, Destination: archive.Destination{Bucket: at.Bucket, Key: objectKey},
			Execution: archive.Execution{ID: "arn:aws:states:us-east-1:000000000000:execution:archive:bench", Name: "bench"},
		}, "SOURCE_ALLOW_LOOPBACK_HTTP=true", "RANGES_IN_FLIGHT="+strconv.Itoa(concurrency))
	}}
}

// call gives a function that works on the storage an event, and watches it from its start to its answer.
func (s storage) call(ctx context.Context, binary string, event any, variables ...string) (sample, error) {
	text, err := json.Marshal(event)
	if err != nil {
		return sample{}, err
	}
	f, err := newFunction(binary, append(append(s.environment(), "BUCKET="+s.Bucket), variables...))
	if err != nil {
		return sample{}, err
	}
	started := time.Now()
	result, failed, err := f.service.Invoke(ctx, "bench", text)
	took := time.Since(started)
	var out struct {
		Finished bool `json:"finished"`
	}
	switch {
	case err != nil:
	case failed != "":
		err = errors.New(string(result))
	default:
		err = json.Unmarshal(result, &out)
	}
	if err == nil && !out.Finished {
		err = errors.New("it did not finish")
	}
	return f.end(took, err)
}

// function is one process of a function, on the emulator's Runtime API.
type function struct {
	service *lambda.Service

	mu     sync.Mutex
	output bytes.Buffer
	cpu    time.Duration // of the processes that have ended
}

// functionLimit is more than any measurement takes.
const functionLimit = 2 * time.Hour

func newFunction(binary string, variables []string) (*function, error) {
	env := map[string]string{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	f := &function{}
	var err error
	f.service, err = lambda.New(lambda.Options{
		Functions: []lambda.Function{{Name: "bench", Binary: binary, Env: env, Timeout: functionLimit, MemoryMB: 512}},
		Log: func(_, line string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.output.WriteString(line + "\n")
		},
		Exited: func(state *os.ProcessState) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.cpu += state.UserTime() + state.SystemTime()
		},
	})
	return f, err
}

// start watches the function's start, to its first request for an event.
func (f *function) start(ctx context.Context) (sample, error) {
	took, err := f.service.Provision(ctx, "bench")
	return f.end(took, err)
}

// end stops the process, and reports what it took, or how it failed. The kernel's high-water mark of its memory goes with
// it.
func (f *function) end(wall time.Duration, err error) (sample, error) {
	one := sample{wall: wall}
	for _, pid := range f.service.Processes("bench") {
		one.rss += highWater(pid)
	}
	_ = f.service.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, lastLine(f.output.String()))
	}
	one.cpu = f.cpu
	return one, nil
}
