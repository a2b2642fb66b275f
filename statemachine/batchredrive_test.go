package statemachine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// wholeBatch plays the functions of a batch of three archives, with both machines as they are deployed. The archive
// number fails is lost in the first attempt.
type wholeBatch struct {
	objects *sfntest.Objects
	fails   int

	mu       sync.Mutex
	launched []string // names of archives' executions
	finished map[int]bool
	planned  []int // redrive counts
}

func (w *wholeBatch) invoke(_ context.Context, function string, payload []byte) (any, error) {
	var in struct {
		Execution    struct{ Name string }
		RedriveCount int
		Abort        bool
		Destination  struct{ Key string }
		Request      struct{ Destination struct{ Key string } }
		State        struct{ Plan batch.Plan }
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch function {
	case "plan":
		return w.plan(in.RedriveCount), nil
	case "manifest":
		return w.manifest(in.RedriveCount, in.State.Plan)
	case "launch":
		w.launched = append(w.launched, in.Execution.Name)
		answer := sfntest.Launched(3600).(map[string]any)
		answer["destination"] = map[string]any{"bucket": "b", "key": in.Request.Destination.Key}
		return answer, nil
	case "poll":
		return sfntest.Polled("success", 1), nil
	}
	var number int
	if _, err := fmt.Sscanf(in.Destination.Key, "a/%d.zip", &number); err != nil {
		return nil, err
	}
	if number == w.fails && !in.Abort {
		return nil, &sfntest.FunctionError{Type: "ArchiveCorrupt", Message: "the checksum differs"}
	}
	if !in.Abort {
		w.finished[number] = true
	}
	return map[string]any{"finished": true, "output": map[string]any{"bucket": "b", "key": in.Destination.Key}}, nil
}

// plan lists the archives that are not finished.
func (w *wholeBatch) plan(redrives int) batch.Plan {
	w.planned = append(w.planned, redrives)
	items := []batch.Item{}
	for n := 1; n <= 3; n++ {
		if w.finished[n] {
			continue
		}
		key := fmt.Sprintf("a/%d.zip", n)
		items = append(items, batch.Item{
			PlannedArchive: batch.PlannedArchive{Number: n, Key: key, Execution: fmt.Sprintf("archive-%d-%d", n, redrives), Assets: 1},
			Request: batch.ItemRequest{
				Query: batch.ItemQuery{AssetIDs: []string{"asset_1"}}, Destination: batch.ItemDestination{Key: key, Tags: map[string]string{}},
			},
		})
	}
	text, _ := json.Marshal(items)
	at := batch.Object{Bucket: "b", Key: fmt.Sprintf("work/%d/items.json", redrives)}
	w.objects.Put(at.Bucket, at.Key, string(text))
	return batch.Plan{
		Archives: 3, ToDo: len(items), Finished: 3 - len(items), MaxConcurrency: 2, ToleratedFailurePercentage: 50, Items: at,
		Results: batch.Place{Bucket: "b", Prefix: fmt.Sprintf("work/%d/results", redrives)}, RedriveCount: redrives,
	}
}

func (w *wholeBatch) manifest(redrives int, p batch.Plan) (any, error) {
	switch {
	case redrives > p.RedriveCount:
		return batch.ManifestOutput{Again: true}, nil
	case len(w.finished) < 3:
		return nil, &sfntest.FunctionError{Type: "BatchFailed", Message: "1 of 3 archives is missing"}
	}
	return batch.ManifestOutput{Output: &batch.Output{Complete: true}}, nil
}

// TestBatchAndItsRedrive runs a batch whose second archive fails, and redrives it with AWS's own client: what is missing
// is planned again and made, and nothing else is made again.
func TestBatchAndItsRedrive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wholeBatch{fails: 2, finished: map[int]bool{}}
		s := sfntest.Start(t, sfntest.WithLambda(sfntest.Lambda(w.invoke)), sfntest.InFullLength)
		w.objects = s.Objects
		client := s.Client()
		started, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
			StateMachineArn: aws.String(sfntest.BatchMachineARN), Name: aws.String("heroes"), Input: aws.String(`{"list":{"key":"l.txt"}}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.Wait(t.Context(), *started.ExecutionArn)
		if err != nil || e.Error != "BatchFailed" || !strings.Contains(e.Cause, "1 of 3") {
			t.Fatalf("got %+v, %v", e, err)
		}
		runs, _ := s.MapRuns(e.ARN)
		id := runs[0].ARN[strings.LastIndexByte(runs[0].ARN, ':')+1:]
		failed, _ := s.Objects.Get("b", "work/0/results/"+id+"/FAILED_0.json")
		if !strings.Contains(failed, "ArchiveCorrupt") || !strings.Contains(failed, `\"number\":2`) {
			t.Errorf("the map's results: %s", failed)
		}
		w.fails = 0
		if _, err := client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: started.ExecutionArn}); err != nil {
			t.Fatal(err)
		}
		e, err = s.Wait(t.Context(), *started.ExecutionArn)
		if err != nil || e.Status != "SUCCEEDED" || e.RedriveCount != 1 {
			t.Errorf("redriven: %+v, %v", e, err)
		}
		count := map[string]int{}
		for _, name := range w.launched {
			count[name]++
		}
		if fmt.Sprint(count) != "map[archive-1-0:1 archive-2-0:1 archive-2-1:1 archive-3-0:1]" || fmt.Sprint(w.planned) != "[0 1]" {
			t.Errorf("launched %v, planned %v", count, w.planned)
		}
	})
}
