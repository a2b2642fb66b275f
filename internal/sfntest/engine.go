package sfntest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// StartEngine starts the real thing, as far as there is one outside AWS: the local Step Functions endpoint with the
// definitions of the archive and of the batch (but for its map, which needs S3), waits shortened a thousand times. lambda plays the functions: it gets a function's name and its
// payload, and answers with its result. The first call on a machine builds the endpoint. repo is the path from the
// test's directory to the repository.
func StartEngine(t testing.TB, repo string, lambda func(function string, payload []byte) (any, error)) *sfn.Client {
	t.Helper()
	functions := httptest.NewServer(invoker(lambda))
	t.Cleanup(functions.Close)
	binary := filepath.Join(t.TempDir(), "local")
	if out, err := exec.Command("go", "build", "-C", filepath.Join(repo, "local"), "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build of local: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "stepfunctions", "-addr", "127.0.0.1:0", "-time-scale", "0.001", "-lambda", functions.URL,
		"-machine", "archive="+filepath.Join(repo, "statemachine", "archive.asl.json"), "-substitute", "LaunchFunctionArn=launch", "-substitute", "Partition=aws",
		"-substitute", "PollFunctionArn=poll", "-substitute", "TransferFunctionArn=transfer",
		"-machine", "batch="+batchWithoutMap(t, repo), "-substitute", "PlanFunctionArn=plan",
		"-substitute", "ManifestFunctionArn=manifest")
	return connect(t, cmd)
}

// batchWithoutMap is a file with the batch's definition, in which the map does nothing.
func batchWithoutMap(t testing.TB, repo string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(repo, "statemachine", "batch.asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	var definition map[string]any
	if err := json.Unmarshal(raw, &definition); err != nil {
		t.Fatal(err)
	}
	definition["States"].(map[string]any)["Archives"] = map[string]any{"Type": "Pass", "Next": "Manifest"}
	if raw, err = json.Marshal(definition); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "batch.asl.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// connect starts the endpoint and waits for the line that tells where it is.
func connect(t testing.TB, cmd *exec.Cmd) *sfn.Client {
	t.Helper()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var ready struct {
		Endpoint string `json:"endpoint"`
	}
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil || ready.Endpoint == "" {
		t.Fatalf("the local Step Functions endpoint did not start: %v", err)
	}
	return sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: &ready.Endpoint, RetryMaxAttempts: 3, RetryMode: aws.RetryModeStandard,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// invoker answers Lambda's Invoke.
func invoker(lambda func(string, []byte) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _ := url.PathUnescape(path.Base(strings.TrimSuffix(r.URL.Path, "/invocations")))
		payload, _ := io.ReadAll(r.Body)
		result, err := lambda(name, payload)
		w.Header().Set("X-Amzn-RequestId", "request-1")
		if err != nil {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			result = map[string]string{"errorType": fmt.Sprintf("%T", err), "errorMessage": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(result)
	})
}
