package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Put writes an object of the system's bucket.
func (h *Harness) Put(ctx context.Context, key, body string) error {
	bucket := h.Env["BUCKET"]
	_, err := h.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	return err
}

// Execute starts an execution and returns its ARN. The machine is the name of its variable in Env; without a name the
// execution gets one.
func (h *Harness) Execute(ctx context.Context, machine, name, input string) (string, error) {
	arn := h.Env[machine]
	in := &sfn.StartExecutionInput{StateMachineArn: &arn, Input: &input}
	if name != "" {
		in.Name = &name
	}
	out, err := h.SFN.StartExecution(ctx, in)
	if err != nil {
		return "", err
	}
	return *out.ExecutionArn, nil
}

// Wait asks several times a second until done says so. It fails when the system ends by itself.
func (h *Harness) Wait(ctx context.Context, done func() (bool, error)) error {
	for {
		if is, err := done(); is || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.stopped:
			return errors.New("the system has ended by itself; see up.log (-dir keeps it)")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Await returns when the execution has ended well, or when enough, unless nil, says so. It fails when the execution does.
func (h *Harness) Await(ctx context.Context, arn string, enough func() (bool, error)) (e *sfn.DescribeExecutionOutput, err error) {
	err = h.Wait(ctx, func() (bool, error) {
		e, err = h.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		switch {
		case err != nil:
			return false, err
		case e.Status == types.ExecutionStatusSucceeded:
			return true, nil
		case e.Status != types.ExecutionStatusRunning:
			return false, fmt.Errorf("it ended %s: %s: %s", e.Status, aws.ToString(e.Error), aws.ToString(e.Cause))
		case enough == nil:
			return false, nil
		}
		return enough()
	})
	return e, err
}

// StandIn sends a request to the part of the stand-in that is for tests. A body that is not nil is sent as JSON, and the
// answer is read into what into points to unless that is nil.
func (h *Harness) StandIn(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(h.scenario, "/v1")+"/_test/"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300:
		return fmt.Errorf("the stand-in answers %d to %s %s: %s", resp.StatusCode, method, path, answer)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

// Job is a job of the stand-in.
type Job struct {
	First  string // its first asset
	Assets int
}

// Jobs returns the jobs that the stand-in has launched so far.
func (h *Harness) Jobs(ctx context.Context) ([]Job, error) {
	var answer struct{ Jobs []Job }
	err := h.StandIn(ctx, http.MethodGet, "jobs", nil, &answer)
	return answer.Jobs, err
}
