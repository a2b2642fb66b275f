package statemachine_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// engine is a Step Functions endpoint with the definition under test.
type engine struct {
	*sfn.Client
	machine string // its ARN
}

func executionName(i int) string { return fmt.Sprintf("case-%03d", i) }

// startEngine runs the local Step Functions endpoint with the archive's definition.
func startEngine(t *testing.T, lambda string) engine {
	t.Helper()
	return startMachine(t, lambda, "archive", "archive.asl.json", map[string]string{
		"LaunchFunctionArn": "launch", "PollFunctionArn": "poll", "TransferFunctionArn": "transfer", "Partition": "aws",
	})
}

// startMachine runs the local Step Functions endpoint with one definition, and all waits and retry delays a thousand
// times as short.
func startMachine(t *testing.T, lambda, name, file string, substitutions map[string]string) engine {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "local")
	if out, err := exec.Command("go", "build", "-C", "../local", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the local runner: %v\n%s", err, out)
	}
	args := []string{"stepfunctions", "-addr", "127.0.0.1:0", "-lambda", lambda, "-time-scale", "0.001", "-machine", name + "=" + file}
	for variable, value := range substitutions {
		args = append(args, "-substitute", variable+"="+value)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var ready struct{ Endpoint string }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &ready) != nil || ready.Endpoint == "" {
		t.Fatalf("the local Step Functions endpoint did not start: %v: %s", err, line)
	}
	return engine{
		Client: sfn.New(sfn.Options{
			BaseEndpoint: &ready.Endpoint, Region: "us-east-1",
			Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("id", "secret", "")),
		}),
		machine: "arn:aws:states:us-east-1:000000000000:stateMachine:" + name,
	}
}
