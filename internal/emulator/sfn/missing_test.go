package sfn

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	gone := executionARN("p", "gone")
	_, err := s.Wait(t.Context(), gone)
	wantCode(t, err, "ExecutionDoesNotExist")
	_, err = s.Redrive(gone, "")
	wantCode(t, err, "ExecutionDoesNotExist")
	_, err = s.MapRuns(gone)
	wantCode(t, err, "ExecutionDoesNotExist")
	_, err = s.MapRun("arn:aws:states:us-east-1:000000000000:mapRun:m/L:gone")
	wantCode(t, err, "ResourceNotFound")
}

// An execution whose file was removed cannot be shown, and says so without the file's name.
func TestFileThatIsGone(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	arn := wait(t, s, start(t, s, "p", "n", `{}`).ARN).ARN
	if err := os.Remove(filepath.Join(s.dir, "p", "n.jsonl")); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"DescribeExecution", "GetExecutionHistory"} {
		w := send(s, "AWSStepFunctions."+action, `{"executionArn":"`+arn+`"}`, nil)
		if want := `{"__type":"InternalFailure","message":"the request failed; see the log"}` + "\n"; w.Code != 500 || w.Body.String() != want {
			t.Errorf("%s: %d %s", action, w.Code, w.Body)
		}
	}
}

func TestRedriveIsRefused(t *testing.T) {
	t.Parallel()
	b := newBroken("{}")
	s := newService(t, testConfig(t.TempDir(), b))
	e := wait(t, s, start(t, s, "l", "n", `{}`).ARN)
	if e.Status != asl.StatusFailed || e.RedriveStatus != "REDRIVABLE" {
		t.Errorf("got %+v", e)
	}
	for _, resume := range []*asl.Resume{nil, {Events: []asl.Event{{ID: asl.MaxEvents - 1}}}} {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, checkHistory(f, resume), "ExecutionNotRedrivable")
		if f.Close() == nil {
			t.Error("the file was left open")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redrive(e.ARN, ""); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}
