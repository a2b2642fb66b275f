package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// ask sends a request to the API. header are pairs of names and values.
func ask(t *testing.T, method, url, body string, header ...string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Errorf("%s %s: %d %s", method, url, resp.StatusCode, text)
	}
	return resp.StatusCode, answer
}

const twoAssets = `{"query":{"assetIds":["asset_a","asset_b"]}}`

// ended follows an archive by the API until it has ended.
func ended(t *testing.T, api, id string) (a map[string]any) {
	t.Helper()
	await(func() bool {
		_, a = ask(t, "GET", api+"/archives/"+id, "")
		return a["status"] != "running"
	})
	return a
}

// executions are the names of all, by the Step Functions endpoint.
func executions(t *testing.T, env map[string]string) (names []string) {
	t.Helper()
	pages := sfn.NewListExecutionsPaginator(newClient(env["AWS_ENDPOINT_URL_SFN"], "").sfn,
		&sfn.ListExecutionsInput{StateMachineArn: aws.String(env["STATE_MACHINE_ARN"])})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Executions {
			names = append(names, *e.Name)
		}
	}
	return names
}

func TestAPIOfUp(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t, "-stand-in", "-job-duration 300ms")
	api := env["API_URL"]
	status, a := ask(t, "POST", api+"/archives", twoAssets, "Idempotency-Key", "one")
	id, _ := a["id"].(string)
	if status != http.StatusAccepted || id == "" {
		t.Fatalf("%d %v", status, a)
	}
	a = ended(t, api, id)
	download, _ := a["download"].(map[string]any)
	link, _ := download["url"].(string)
	if a["status"] != "succeeded" || !strings.HasPrefix(link, api+"/archive/archives/"+id+".zip?") {
		t.Fatalf("%v", a)
	}
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	want, fileErr := os.ReadFile(filepath.Join(l.dir, "s3/archive/archives", id+".zip"))
	if err != nil || fileErr != nil || !bytes.Equal(got, want) || !strings.Contains(resp.Header.Get("Content-Disposition"), id+".zip") {
		t.Errorf("downloaded %d bytes of %d: %v %v %v", len(got), len(want), err, fileErr, resp.Header)
	}
	if status := statusOf(t, strings.Replace(link, "X-Amz-Expires=900", "X-Amz-Expires=901", 1)); status != http.StatusForbidden {
		t.Errorf("a link that was changed: %d", status)
	}
	if _, again := ask(t, "POST", api+"/archives", twoAssets, "Idempotency-Key", "one"); again["id"] != id {
		t.Errorf("the same again: %v", again)
	}
	if status, other := ask(t, "POST", api+"/archives", `{"query":{"assetIds":["asset_c"]}}`, "Idempotency-Key", "one"); status != 422 {
		t.Errorf("another request with the key: %d %v", status, other)
	}
	_, a = ask(t, "POST", api+"/archives", `{"query":{"assetIds":["asset_slow"]}}`)
	id, _ = a["id"].(string)
	if status, a := ask(t, "DELETE", api+"/archives/"+id, ""); status != http.StatusOK || a["status"] != "stopped" {
		t.Errorf("%d %v", status, a)
	}
	if got := ended(t, api, id)["status"]; got != "stopped" {
		t.Errorf("after DELETE: %v", got)
	}
	if status := statusOf(t, api+"/"); status != http.StatusOK {
		t.Errorf("the page: %d", status)
	}
	if status, _ := ask(t, "GET", api+"/archives", "", "Origin", "http://evil.example"); status != http.StatusForbidden {
		t.Errorf("a page of another origin: %d", status)
	}
	stop()
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestThousandPostsWithHundredKeysMakeHundredExecutions(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t, "-stand-in", "-job-duration 1h")
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{} // how often each was answered
	for i := range 1000 {
		group.Go(func() {
			status, a := ask(t, "POST", env["API_URL"]+"/archives", twoAssets, "Idempotency-Key", fmt.Sprint("key-", i%100))
			if status != http.StatusAccepted {
				t.Errorf("%d %v", status, a)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[a["id"].(string)]++
		})
	}
	group.Wait()
	for id, n := range ids {
		if n != 10 {
			t.Errorf("%s was answered %d times", id, n)
		}
	}
	if names := executions(t, env); len(names) != 100 || len(ids) != 100 {
		t.Errorf("%d executions, %d IDs", len(names), len(ids))
	}
	stop()
}

// note reads what the inbox has written beside a request.
func (l *local) note(name string) (n map[string]any) {
	text, err := os.ReadFile(filepath.Join(l.dir, "s3/archive/requests", name))
	if err != nil || json.Unmarshal(text, &n) != nil {
		return nil
	}
	return n
}

func TestRequestsThatAreDropped(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t, "-stand-in", "-job-duration 100ms")
	put(t, env, "requests/my heroes+1.json", twoAssets)
	put(t, env, "requests/broken.json", `{"query":{}}`)
	put(t, env, "requests/list.txt", "asset_a\nasset_b\n")
	for _, name := range []string{"my heroes+1.status.json", "broken.error.json", "list.status.json"} {
		await(func() bool { return l.note(name) != nil })
	}
	if n := l.note("broken.error.json"); n["error"] != "RequestInvalid" || n["request"] != "requests/broken.json" {
		t.Errorf("%v", n)
	}
	id := l.note("my heroes+1.status.json")["execution"].(map[string]any)["id"].(string)
	if a := ended(t, env["API_URL"], id); a["status"] != "succeeded" {
		t.Errorf("%v", a)
	}
	stop()

	// What is dropped while nothing runs is not lost; what is done is not done again.
	late := filepath.Join(l.dir, "s3/archive/requests/late.json")
	if err := os.WriteFile(late, []byte(twoAssets), 0o600); err != nil {
		t.Fatal(err)
	}
	env, stop = l.startUp(t, "-stand-in", "-job-duration 100ms")
	await(func() bool { return l.note("late.status.json") != nil })
	if names := executions(t, env); len(names) != 3 {
		t.Errorf("executions: %v", names)
	}
	stop()
}

// put drops an object into the bucket by S3, as any AWS tool with the environment file does.
func put(t *testing.T, env map[string]string, key, body string) {
	t.Helper()
	client, closeIdle, err := emulator.Access{
		Endpoint: env["AWS_ENDPOINT_URL_S3"], CAFile: env["AWS_CA_BUNDLE"], Region: env["AWS_REGION"],
		AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"],
	}.Connect(0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle()
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(env["BUCKET"]), Key: &key, Body: strings.NewReader(body),
	})
	if err != nil {
		t.Fatal(err)
	}
}
