package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
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
		event, err := json.Marshal(archive.TransferInput{
			Job: archive.Job{ID: "job_bench"}, ArchiveURL: url, Destination: archive.Destination{Bucket: at.Bucket, Key: objectKey},
			Execution: archive.Execution{ID: "arn:aws:states:us-east-1:000000000000:execution:archive:bench", Name: "bench"},
		})
		if err != nil {
			return sample{}, err
		}
		api, err := serveRuntime(event)
		if err != nil {
			return sample{}, err
		}
		defer api.close()
		cmd := exec.Command(s.function)
		cmd.Env = append(at.environment(), "AWS_LAMBDA_RUNTIME_API="+api.address, "AWS_ENDPOINT_URL_S3="+at.Endpoint,
			"BUCKET="+at.Bucket, "SOURCE_ALLOW_LOOPBACK_HTTP=true", "TRANSFER_CONCURRENCY="+strconv.Itoa(concurrency))
		return api.measure(ctx, cmd)
	}}
}

// runtimeAPI is Lambda's Runtime API for one event, or none ("Using the Lambda runtime API", Lambda Developer Guide).
type runtimeAPI struct {
	address string
	server  *http.Server
	asked   chan time.Time // when the function first asked for an event
	answer  chan error     // the function's; nil when it has moved the whole archive
}

func serveRuntime(event []byte) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	const prefix = "/2018-06-01/runtime/invocation/"
	api := &runtimeAPI{address: listener.Addr().String(), asked: make(chan time.Time, 1), answer: make(chan error, 1)}
	events := make(chan []byte, 1)
	if event != nil {
		events <- event
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case api.asked <- time.Now():
		default:
		}
		select {
		case e := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "bench")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10))
			_, _ = w.Write(e)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST "+prefix+"bench/{kind}", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var out archive.TransferOutput
		switch err := json.Unmarshal(text, &out); {
		case r.PathValue("kind") != "response":
			api.answer <- errors.New(string(text))
		case err != nil || !out.Finished:
			api.answer <- fmt.Errorf("it answered %s", text)
		default:
			api.answer <- nil
		}
		w.WriteHeader(http.StatusAccepted)
	})
	api.server = &http.Server{Handler: mux}
	go func() { _ = api.server.Serve(listener) }()
	return api, nil
}

func (a *runtimeAPI) close() { _ = a.server.Close() }

// measure watches the function from its start to its answer, and ends it.
func (a *runtimeAPI) measure(ctx context.Context, cmd *exec.Cmd) (sample, error) {
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	peaks := watch(cmd.Process.Pid)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	var err error
	var ended bool
	select {
	case err = <-a.answer:
	case err = <-exited:
		ended, err = true, fmt.Errorf("the function ended without an answer: %w", err)
	case <-ctx.Done():
		err = ctx.Err()
	}
	one := sample{wall: time.Since(started), rss: peaks()}
	if !ended {
		_ = cmd.Process.Kill()
		<-exited
	}
	one.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, lastLine(output.String()))
	}
	return one, nil
}
