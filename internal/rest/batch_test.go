package rest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// lists plays the bucket's lists and claims.
type lists struct {
	mu     sync.Mutex
	puts   map[string]string
	claims map[string]string
	fail   error
}

func (l *lists) PutList(_ context.Context, name string, ids []string) (batch.List, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return batch.List{}, l.fail
	}
	key := fmt.Sprintf("batches/lists/%d-%s-%s/%s.txt", len(ids), ids[0], ids[len(ids)-1], name)
	l.puts[key] = strings.Join(ids, " ")
	return batch.List{Key: key, Format: batch.FormatText}, nil
}

func (l *lists) Claim(_ context.Context, name, purpose string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return "", l.fail
	}
	if _, taken := l.claims[name]; !taken {
		l.claims[name] = purpose
	}
	return l.claims[name], nil
}

func withBatches(t *testing.T) (*fixture, *lists) {
	t.Helper()
	f := newFixture(t)
	return f, f.lists
}

// assets is a request for assets first to last, and more of the request's fields.
func assets(first, last int, more string) string {
	var ids []string
	for i := first; i <= last; i++ {
		ids = append(ids, fmt.Sprintf(`"asset_%d"`, i))
	}
	return `{"query":{"assetIds":[` + strings.Join(ids, ",") + `]}` + more + `}`
}

func (f *fixture) batch(t *testing.T, header ...string) string {
	t.Helper()
	a := f.do(t, "POST", "/archives", assets(1, 1001, ""), header...)
	id, _ := a.body["id"].(string)
	if a.status != 202 || !strings.HasPrefix(id, "batch-") || a.header.Get("Location") != "/archives/"+id || a.body["batch"] == nil ||
		!strings.Contains(a.raw, ":execution:batch:"+id) {
		t.Fatalf("got %d %s", a.status, a.raw)
	}
	return id
}

func TestLongRequestIsABatch(t *testing.T) {
	t.Parallel()
	f, l := withBatches(t)
	more := `,"options":{"flat":true},"destination":{"key":"c/heroes.zip"},"projectId":"p"`
	a := f.do(t, "POST", "/archives", assets(1, 1001, more))
	id, _ := a.body["id"].(string)
	in, err := batch.ParseInput([]byte(f.sfn.Inputs()[id]))
	if a.status != 202 || err != nil || in.List == nil {
		t.Fatalf("got %d %s, %v", a.status, a.raw, err)
	}
	if got := strings.Fields(l.puts[in.List.Key]); len(got) != 1001 || got[0] != "asset_1" || got[1000] != "asset_1001" {
		t.Errorf("the list has %d IDs", len(got))
	}
	if in.Request.Destination.Key != "c/heroes.zip" || in.Request.ProjectID != "p" || in.Request.Options.Flat == nil {
		t.Errorf("got %+v", in.Request)
	}
	for what, body := range map[string]string{
		"a thousand": assets(1, 1000, more),
		"a thousand and repeats": `{"query":{"assetIds":["asset_1",` +
			strings.TrimPrefix(assets(1, 1000, more), `{"query":{"assetIds":[`),
	} {
		a = f.do(t, "POST", "/archives", body)
		request, err := archive.ParseRequest([]byte(f.sfn.Inputs()[a.body["id"].(string)]))
		if a.status != 202 || a.body["batch"] != nil || err != nil || len(request.Query.AssetIDs) != 1000 || request.ProjectID != "p" {
			t.Errorf("%s: got %d %s, %v", what, a.status, a.raw, err)
		}
	}
	if len(l.puts) != 1 {
		t.Errorf("%d lists", len(l.puts))
	}
}

func TestLongRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, says string
		error      kind
		status     int
		fail       error
	}{
		"models beside":   {strings.Replace(assets(1, 1001, ""), "]}", `],"modelIds":["m"]}`, 1), "cannot be divided", errRequestInvalid, 422, nil},
		"no ID":           {strings.Replace(assets(1, 1001, ""), "asset_7", "asset 7", 1), "query.assetIds[6]", errRequestInvalid, 422, nil},
		"a number":        {strings.Replace(assets(1, 1001, ""), `"asset_7"`, "7", 1), "query.assetIds", errRequestInvalid, 422, nil},
		"unknown fields":  {assets(1, 1001, `,"qurey":1`), `"qurey"`, errRequestInvalid, 422, nil},
		"a list as well":  {assets(1, 1001, `,"list":{"key":"k"}`), `"list" and a "query"`, errRequestInvalid, 422, nil},
		"a list alone":    {`{"list":{"key":"secret.txt"}}`, `"list"`, errRequestInvalid, 422, nil},
		"not JSON":        {assets(1, 1001, "") + "}", "", errRequestInvalid, 400, nil},
		"a key there":     {assets(1, 1001, `,"destination":{"key":"batches/x"}`), "batches/", errRequestInvalid, 422, nil},
		"S3 refuses":      {assets(1, 1001, ""), "S3 refuses", errMisconfigured, 500, archive.NewError(archive.DestinationRefused, nil, "no")},
		"S3 is not there": {assets(1, 1001, ""), "try again", errServiceUnavailable, 503, archive.NewError(archive.DestinationUnavailable, nil, "no")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, l := withBatches(t)
			l.fail = c.fail
			f.do(t, "POST", "/archives", c.body).problem(t, c.status, c.error, c.says)
			if f.sfn.Started() != 0 || len(l.puts) != 0 {
				t.Error("something was started or written")
			}
		})
	}
}

func TestIdempotencyKeyOfABatch(t *testing.T) {
	t.Parallel()
	f, l := withBatches(t)
	id := f.batch(t, "Idempotency-Key", "order 17")
	reused := func(key, body string) {
		t.Helper()
		f.do(t, "POST", "/archives", body, "Idempotency-Key", key).problem(t, 422, errIdempotencyReused, "another request")
	}
	for _, end := range []func(){func() {}, func() { f.sfn.Finish(t, id, "FAILED", "BatchFailed", "c") }} {
		end()
		if again := f.batch(t, "Idempotency-Key", `"order 17"`); again != id {
			t.Errorf("a repeat is %s, not %s", again, id)
		}
		reused("order 17", assets(1, 1002, ""))
		reused("order 17", good)
	}
	archive := f.do(t, "POST", "/archives", good, "Idempotency-Key", "order 18").body["id"]
	reused("order 18", assets(1, 1001, ""))
	if again := f.do(t, "POST", "/archives", good, "Idempotency-Key", "order 18").body["id"]; again != archive {
		t.Errorf("a repeat is %s, not %s", again, archive)
	}
	if one, two := f.batch(t), f.batch(t); one == two {
		t.Error("two requests without a key are one")
	}
	if f.batch(t, "Idempotency-Key", "batch-order 17") == id {
		t.Error("two keys are one")
	}
	if f.sfn.Started() != 5 || len(l.puts) != 2 {
		t.Errorf("%d executions, %d lists", f.sfn.Started(), len(l.puts))
	}
}

func TestShowBatch(t *testing.T) {
	t.Parallel()
	f, _ := withBatches(t)
	id := f.batch(t)
	show := func(want string) answer {
		t.Helper()
		a := f.do(t, "GET", "/archives/"+id, "")
		if a.status != 200 || !strings.Contains(a.raw, want) {
			t.Errorf("got %d %s, want %s", a.status, a.raw, want)
		}
		return a
	}
	show(`"status":"running"`)
	f.sfn.Plan(t, id, "one", "two", "three")
	show(`"batch":{"assets":2500,"duplicates":3,"archives":{"total":4,"waiting":0,"running":3,"finished":1,"failed":0}}`)
	f.sfn.Finish(t, "one", "SUCCEEDED", `{}`)
	f.sfn.Finish(t, "two", "FAILED", "JobFailed", "no")
	f.sfn.Children(t, id, 1)
	show(`"state":"Archives","startedAt"`)
	show(`"archives":{"total":4,"waiting":0,"running":1,"finished":2,"failed":1}}`)
	f.sfn.Break(func(operation string) *sfntest.Fault {
		if strings.Contains(operation, "MapRun") {
			return &sfntest.Fault{Status: 400, Code: "ThrottlingException"}
		}
		return nil
	})
	show(`"waiting":3`)
	f.sfn.Break(nil)
	f.sfn.Finish(t, "three", "SUCCEEDED", `{}`)
	f.sfn.Finish(t, id, "SUCCEEDED", `{"bucket":"b","manifest":"a/manifest.json","complete":false,
		"totals":{"archives":3,"failed":1,"assets":2500,"duplicates":3,"missing":500,"size":9,"entries":8}}`)
	a := show(`"batch":{"assets":2500,"duplicates":3,"archives":{"total":4,"waiting":0,"running":0,"finished":3,"failed":1},` +
		`"manifest":{"bucket":"b","key":"a/manifest.json"},"complete":false,"totals":{"archives":3,`)
	if !strings.Contains(a.raw, "https://s3.example/a/manifest.json?signed") || a.body["output"] != nil {
		t.Errorf("got %s", a.raw)
	}
}

func TestShowBatchThatFailed(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]bool{"BatchFailed": true, "DestinationConflict": false} {
		f, _ := withBatches(t)
		id := f.batch(t)
		f.sfn.Plan(t, id)
		f.sfn.Finish(t, id, "FAILED", name, "4 of 4 archives are missing")
		a := f.do(t, "GET", "/archives/"+id, "")
		if a.body["error"] != name || (a.body["download"] != nil) != link || strings.Contains(a.raw, `"manifest":{`) != link {
			t.Errorf("%s: got %s", name, a.raw)
		}
	}
}

// Executions that were started elsewhere have any name.
func TestFindInEitherMachine(t *testing.T) {
	t.Parallel()
	f, _ := withBatches(t)
	o := f.Handler.(*api).Options
	for machine, name := range map[*executions.Machine]string{o.Archives: "batch-heroes", o.Batches: "heroes"} {
		if _, err := machine.Start(t.Context(), name, `{}`); err != nil {
			t.Fatal(err)
		}
		a := f.do(t, "GET", "/archives/"+name, "")
		if a.status != 200 || (a.body["batch"] != nil) != (machine == o.Batches) {
			t.Errorf("%s: got %s", name, a.raw)
		}
	}
	for _, id := range []string{"batch-unknown", "unknown"} {
		f.do(t, "GET", "/archives/"+id, "").problem(t, 404, errNotFound, "no archive")
		f.do(t, "DELETE", "/archives/"+id, "").problem(t, 404, errNotFound, "no archive")
	}
}

func TestListBatches(t *testing.T) {
	t.Parallel()
	f, _ := withBatches(t)
	one, first, second := f.archive(t), f.batch(t), f.batch(t)
	f.sfn.Finish(t, first, "FAILED", "BatchFailed", "c")
	for target, want := range map[string][]string{
		"/archives": {one}, "/archives?kind=archive": {one}, "/archives?kind=batch": {second, first},
		"/archives?kind=batch&limit=1": {second, first}, "/archives?kind=batch&status=failed": {first},
	} {
		var got []string
		for next := target; next != ""; {
			var ids []string
			ids, next = f.list(t, next)
			got = append(got, ids...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", target, got, want)
		}
	}
}

func TestStopBatch(t *testing.T) {
	t.Parallel()
	f, _ := withBatches(t)
	id := f.batch(t)
	child := "heroes-0001-0123456789abcdef" + batch.ChildEnd(f.Handler.(*api).Batches.ARN(id), 0)
	f.sfn.Plan(t, id, child)
	f.sfn.Transferring(t, child)
	f.objects.owners["k.zip"] = child
	other := f.archive(t) // runs on
	f.sfn.Transferring(t, other)
	for i := range 2 {
		a := f.do(t, "DELETE", "/archives/"+id, "")
		want := []string{"map[job:canceled object:removed upload:aborted]", "map[job:canceled object:none upload:aborted]"}[i]
		if a.status != 200 || a.body["status"] != "stopped" || fmt.Sprint(a.body["cleanup"]) != want || !strings.Contains(a.raw, `"assets":2500`) {
			t.Errorf("got %d %s", a.status, a.raw)
		}
	}
	if f.sfn.Calls("StopExecution") != 1 || len(f.canceled) != 2 || len(f.aborted) != 2 || !strings.HasSuffix(f.aborted[0], child) ||
		len(f.objects.owners) != 0 {
		t.Errorf("%d stops, %v, %v, %v", f.sfn.Calls("StopExecution"), f.canceled, f.aborted, f.objects.owners)
	}
	ended := f.batch(t)
	f.sfn.Finish(t, ended, "SUCCEEDED", `{}`)
	f.do(t, "DELETE", "/archives/"+ended, "").problem(t, 409, errAlreadyEnded, "nothing to stop")
}

// A hundred repeats at once with the real state machine and a real S3 server: one execution, one list.
func TestBatchWithTheStateMachine(t *testing.T) {
	t.Parallel()
	storage := s3test.Start(t)
	var mu sync.Mutex
	plans := 0
	client := sfntest.Start(t, sfntest.WithLambda(sfntest.Lambda(func(_ context.Context, function string, _ []byte) (any, error) {
		if function == "plan" {
			mu.Lock()
			defer mu.Unlock()
			plans++
			return batch.Plan{Assets: 1500, Archives: 2, Finished: 2, Manifest: batch.Object{Bucket: storage.Bucket, Key: "a/manifest.json"}}, nil
		}
		return batch.ManifestOutput{Output: &batch.Output{Bucket: storage.Bucket, Manifest: "a/manifest.json", Complete: true,
			Totals: batch.Totals{Archives: 2, Assets: 1500}}}, nil
	}))).Client()
	f := newFixture(t)
	o := f.Handler.(*api).Options
	var err error
	if o.Archives, err = executions.New(client, sfntest.MachineARN); err != nil {
		t.Fatal(err)
	}
	if o.Batches, err = executions.New(client, sfntest.BatchMachineARN); err != nil {
		t.Fatal(err)
	}
	o.Bucket.Name = storage.Bucket
	o.Lists = batch.Storage{Bucket: bucket.Bucket{S3: storage.Client, Name: storage.Bucket}}
	f.Handler = New(o)
	var all sync.WaitGroup
	ids := map[string]bool{}
	for range 100 {
		all.Go(func() {
			a := f.do(t, "POST", "/archives", assets(1, 1500, ""), "Idempotency-Key", "k")
			mu.Lock()
			defer mu.Unlock()
			ids[fmt.Sprint(a.status, a.body["id"])] = true
		})
	}
	all.Wait()
	id := f.do(t, "POST", "/archives", assets(1, 1500, ""), "Idempotency-Key", "k").body["id"].(string)
	if len(ids) != 1 || !ids["202"+id] {
		t.Fatalf("got %v", ids)
	}
	a := f.until(t, id, hasStatus("succeeded"))
	if plans != 1 || a.body["download"] == nil || !strings.Contains(a.raw, `"complete":true,"totals":{"archives":2,`) {
		t.Errorf("%d plans; got %s", plans, a.raw)
	}
	if got, _ := f.list(t, "/archives?kind=batch"); len(got) != 1 {
		t.Errorf("listed: %v", got)
	}
}

// The same key for an archive and for a batch at the same moment: one of them is started, the other refused.
func TestOneKeyIsOneExecution(t *testing.T) {
	t.Parallel()
	f, _ := withBatches(t)
	for round := range 30 {
		var both sync.WaitGroup
		answers := make([]answer, 6)
		for i := range answers {
			both.Go(func() {
				body := good
				if i%2 == 0 {
					body = assets(1, 1001, "")
				}
				answers[i] = f.do(t, "POST", "/archives", body, "Idempotency-Key", fmt.Sprint("key ", round))
			})
		}
		both.Wait()
		ids := map[any]bool{}
		for _, a := range answers {
			switch a.status {
			case 202:
				ids[a.body["id"]] = true
			case 422:
				a.problem(t, 422, errIdempotencyReused, "another request")
			default:
				t.Errorf("got %d %s", a.status, a.raw)
			}
		}
		if len(ids) != 1 || f.sfn.Started() != round+1 {
			t.Fatalf("round %d: %v, %d executions", round, ids, f.sfn.Started())
		}
	}
}
