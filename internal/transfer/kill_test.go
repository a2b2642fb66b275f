package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

const childVariable = "TRANSFER_TEST_CHILD"

// child is what a process of its own has to do, for tests that kill it.
type child struct {
	Server s3test.Server
	URL    string
	Key    string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		os.Exit(runChild(text))
	}
	if endpoint := os.Getenv(protocolVariable); endpoint != "" {
		os.Exit(callS3(endpoint))
	}
	os.Exit(m.Run())
}

func runChild(text string) int {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Println(err)
		return 2
	}
	if err := c.Server.Trust(); err != nil {
		fmt.Println(err)
		return 2
	}
	tr := New(tunedClient(c.Server.NewClient(c.Server.Endpoint, nil), 0), fastOptions())
	got, err := tr.Run(context.Background(), c.URL, Object{Bucket: c.Server.Bucket, Key: c.Key, Owner: testOwner})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = json.NewEncoder(os.Stdout).Encode(got)
	return 0
}

// The next process continues the work of one killed at any instant: no finished part is sent twice, and nothing is left.
func TestKilledProcessIsGoneOnWith(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 50, 30<<20, 1)
	src := newSource(t, content)
	src.set(func() { src.hook = slowAnswers(content, src.etag, time.Millisecond) })
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 2))
	t.Logf("seed %d", seed)
	for i := range 2 {
		key := fmt.Sprint("k", i)
		task, err := json.Marshal(child{Server: *server, URL: src.url(), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		src.served.Store(0)
		var got Result
		kills := 0
		for ; !got.Finished; kills++ {
			after := time.Duration(50+random.IntN(1200)) * time.Millisecond
			if kills == 4 {
				after = time.Minute
			}
			out, killed := runKilled(t, string(task), after)
			if killed {
				continue
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("child said %q", out)
			}
		}
		noUploadsAt(t, server, key)
		if data, _ := server.Object(t, key); string(data) != string(content) {
			t.Fatal("the object is not the archive")
		}
		// Each kill costs the ranges in flight, what the sockets held, and the look at the directory; no more.
		perKill := int64(fastOptions().Concurrency)*minPartSize + firstRange + 8<<20
		if limit := int64(len(content)) + int64(kills)*perKill; src.served.Load() > limit {
			t.Errorf("%d bytes served after %d kills; %d at most", src.served.Load(), kills, limit)
		}
	}
}

// runKilled runs a child and kills it after a time, unless it has ended.
func runKilled(t *testing.T, task string, after time.Duration) (out string, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+task)
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	if err == nil {
		return stdout.String(), false
	}
	if cmd.ProcessState.ExitCode() >= 0 {
		t.Fatalf("child: %v: %s", err, stdout.String())
	}
	return "", true
}
