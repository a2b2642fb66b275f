package batch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

const (
	millionVariable = "BATCH_TEST_MILLION" // makes the test binary the process that is measured
	million         = 1_000_000 / fewer
	// millionHeap bounds the heap of planning and of the manifest, each in bytes: 20 to 40 for each ID, as much again
	// until the collector runs, and some parts of uploads.
	millionHeap = 192 << 20
)

// measured is what the measured process prints.
type measured struct {
	Plan                   Plan
	Heap, RSS              uint64
	PlanTook, ManifestTook time.Duration
}

func TestMain(m *testing.M) {
	if work := os.Getenv(millionVariable); work != "" {
		if err := beMeasured(work); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beMeasured plans the list, or writes the manifest of the plan that comes on standard input.
func beMeasured(work string) error {
	var server s3test.Server
	if err := json.Unmarshal([]byte(os.Getenv("BATCH_TEST_S3")), &server); err != nil {
		return err
	}
	if err := server.Trust(); err != nil {
		return err
	}
	s := Storage{bucket.Bucket{Name: server.Bucket, S3: s3.New(s3.Options{
		BaseEndpoint: &server.Endpoint, UsePathStyle: true, Region: server.Region,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKeyID, server.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{TLSClientConfig: server.TLS}},
	})}}
	var out measured
	var err error
	start := time.Now()
	if work == "plan" {
		in := Input{List: &List{Key: "lists/million.csv"}}
		out.Plan, err = Planner{Storage: s}.Plan(ctx, in, executionNamed("million"), 0)
		out.PlanTook = time.Since(start)
	} else {
		if err := json.NewDecoder(os.Stdin).Decode(&out.Plan); err != nil {
			return err
		}
		_, err = Manifester{s}.Write(ctx, ManifestInput{State: State{Plan: out.Plan}})
		out.ManifestTook = time.Since(start)
		if errorName(err) == "BatchFailed" { // no archive was made
			err = nil
		}
	}
	if err != nil {
		return err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	out.Heap, out.RSS = memory.HeapSys, peakRSS() // HeapSys never shrinks: it is the peak
	return json.NewEncoder(os.Stdout).Encode(out)
}

// peakRSS is the most memory that this process had, in bytes; 0 where the system does not say.
func peakRSS() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(kib), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

func (b testBucket) measure(work string, stdin []byte) (m measured) {
	b.t.Helper()
	server, _ := json.Marshal(b.Server)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), millionVariable+"="+work, "BATCH_TEST_S3="+string(server))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%s: %v", work, err)
	}
	if err := json.Unmarshal(out, &m); err != nil {
		b.t.Fatalf("%s: %v: %s", work, err, out)
	}
	return m
}

// ctx is that of the measured process.
var ctx = context.Background()

func millionth(i int) string { return fmt.Sprintf("asset_GTrL3mq4SXWyMxk%07d", i) }

// putMillion writes the list as a spreadsheet would, with each tenth line again somewhere later.
func (b testBucket) putMillion() {
	b.t.Helper()
	r, w := io.Pipe()
	go func() {
		lines := bufio.NewWriter(w)
		fmt.Fprint(lines, "\xef\xbb\xbfprompt,assetId\r\n")
		for i := range million {
			fmt.Fprintf(lines, "\"a prompt, number %d\",%s\r\n", i, millionth(i))
			if i%10 == 9 {
				fmt.Fprintf(lines, "again,%s\r\n", millionth(i/2))
			}
		}
		w.CloseWithError(lines.Flush())
	}()
	out := b.storage().Upload(b.t.Context(), "lists/million.csv", "text/csv", nil)
	if _, err := io.Copy(out, r); err != nil {
		b.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func TestAMillionAssets(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.putMillion()
	planned := b.measure("plan", nil)
	t.Logf("plan of %d IDs: %s, heap %d MiB, RSS %d MiB", million, planned.PlanTook, planned.Heap>>20, planned.RSS>>20)
	p := planned.Plan
	if p.Assets != million || p.Duplicates != million/10 || p.Archives != million/1000 || p.ToDo != million/1000 {
		t.Errorf("got %+v", p)
	}
	b.checkMillion(p)

	text, _ := json.Marshal(p)
	written := b.measure("manifest", text)
	t.Logf("manifest of %d IDs: %s, heap %d MiB, RSS %d MiB", million, written.ManifestTook, written.Heap>>20, written.RSS>>20)
	if planned.Heap > millionHeap || written.Heap > millionHeap/3 {
		t.Errorf("the heap had %d and %d bytes, want at most %d and %d", planned.Heap, written.Heap, millionHeap, millionHeap/3)
	}
	d := b.document(p)
	n := 0
	for _, f := range d.Failed {
		for _, id := range f.AssetIDs {
			if id != millionth(n) {
				t.Fatalf("asset %d in the manifest is %s", n, id)
			}
			n++
		}
	}
	if n != million || d.Totals.Missing != million {
		t.Errorf("the manifest names %d assets: %+v", n, d.Totals)
	}
	if left := b.Uploads(t); len(left) != 0 {
		t.Errorf("uploads are left: %v", left)
	}
}

// checkMillion reads the items: every asset once, in order, in archives of 1000.
func (b testBucket) checkMillion(p Plan) {
	b.t.Helper()
	n := 0
	for i, item := range b.items(p) {
		if item.Number != i+1 || item.Assets != 1000 || len(item.ids()) != 1000 {
			b.t.Fatalf("item %d: %+v of %d assets", i, item.PlannedArchive, len(item.ids()))
		}
		for _, id := range item.ids() {
			if id != millionth(n) {
				b.t.Fatalf("asset %d is %s", n, id)
			}
			n++
		}
	}
	if n != million {
		b.t.Fatalf("%d assets", n)
	}
}
