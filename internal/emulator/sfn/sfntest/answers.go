package sfntest

import (
	"encoding/json"
	"fmt"
	"time"
)

// success is a function's answer on the shortest way to an output.
func success(function, output string) any {
	switch function {
	case "launch":
		return Launched(0)
	case "poll":
		return Polled("success", 1)
	case "transfer", "unpack":
		return map[string]any{"finished": true, "output": json.RawMessage(output)}
	case "plan":
		return map[string]any{"toDo": 0}
	default:
		return map[string]any{"again": false, "output": json.RawMessage(output)}
	}
}

// failure is a function's answer on the shortest way to an error that is reported as it is: not in the launch, after which
// a job may exist.
func failure(function string, payload []byte, err error) (any, error) {
	var in struct{ Abort bool }
	if json.Unmarshal(payload, &in) == nil && in.Abort {
		return map[string]any{"finished": false, "output": nil}, nil
	}
	if function == "launch" || function == "poll" {
		return success(function, ""), nil
	}
	return nil, err
}

// Launched is an answer of the launch function, for the object b/k.zip.
func Launched(waitSeconds int) any {
	return map[string]any{
		"job":        map[string]any{"jobId": "job_1", "endpoint": "download", "projectId": "p"},
		"launchedAt": "2026-01-02T15:04:05Z", "deadline": "2026-01-02T16:04:05Z", "waitSeconds": waitSeconds,
		"destination": map[string]any{"bucket": "b", "key": "k.zip", "overwrite": false},
	}
}

// SignedURL is the archive's, with a signature that nobody may see.
const SignedURL = "https://cdn.example.com/a.zip?Signature=s3cret"

// Polled is an answer of the poll function: success, with SignedURL, or running, with another look after some hours.
func Polled(status string, progress float64) any {
	answer := map[string]any{
		"status": status, "scenarioStatus": status, "progress": progress, "waitSeconds": 100_000, "archiveUrl": SignedURL, "cause": "",
	}
	if status == "running" {
		answer["scenarioStatus"], answer["archiveUrl"] = "warming-up", ""
	}
	return answer
}

// Transferring brings an execution of the archive into its second transfer function, which has failed once.
func (s *Server) Transferring(t T, execution string) {
	t.Helper()
	s.Answer(t, execution, "launch", Launched(0))
	s.Answer(t, execution, "poll", Polled("success", 1))
	s.Answer(t, execution, "transfer", map[string]any{"finished": false, "bytesDone": 5, "bytesTotal": 9, "output": nil})
	s.Fail(t, execution, "transfer", &FunctionError{"SourceUnavailable", "no answer"})
	s.Rest(t, execution)
}

// object is a JSON object.
type object = map[string]any

// Plan lets the plan function answer for a batch: an archive of it is there already, and one is still to be made for each
// name, by the execution of that name, whatever number of them fails. It returns when all of those have called their
// launch function.
func (s *Server) Plan(t T, execution string, names ...string) {
	t.Helper()
	items := []object{}
	for i, name := range names {
		key := fmt.Sprintf("a/%d.zip", i+2)
		items = append(items, object{"number": i + 2, "key": key, "execution": name, "assets": 1, "request": object{
			"query": object{"assetIds": []string{"asset_1"}}, "options": object{}, "projectId": "", "timeoutSeconds": 0,
			"destination": object{"key": key, "overwrite": false, "tags": object{}}, "unpack": nil,
		}})
	}
	text, err := json.Marshal(items)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s.Objects.Put("b", "batches/"+execution, string(text))
	s.Answer(t, execution, "plan", object{
		"work": "w/", "assets": 2500, "duplicates": 3, "archives": len(names) + 1, "finished": 1, "toDo": len(names),
		"maxConcurrency": 100, "toleratedFailurePercentage": 100, "items": object{"bucket": "b", "key": "batches/" + execution},
		"results": object{"bucket": "b", "prefix": "results"}, "manifest": object{"bucket": "b", "key": "a/manifest.json"},
		"redriveCount": 0,
	})
	for _, name := range names {
		s.Called(t, name, "launch")
	}
}

// Children returns when so many children of the batch's map run.
func (s *Server) Children(t T, execution string, running int) {
	t.Helper()
	e, err := s.execution(execution)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for until := time.Now().Add(hang); ; time.Sleep(time.Millisecond) {
		runs, err := s.MapRuns(e.ARN)
		if err == nil && len(runs) > 0 && runs[0].Executions.Running == running {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s has Map Runs %+v, %v", execution, runs, err)
		}
	}
}
