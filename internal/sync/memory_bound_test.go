package sync

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// measuredVariable makes the test binary the process that is measured; its value is the number of assets.
	measuredVariable = "SYNC_TEST_MEASURED"
	// assetsVariable is the number of assets: 1000000 takes two minutes of a processor.
	assetsVariable = "SYNC_TEST_ASSETS"
	defaultAssets  = 60_000
	memoryBound    = 64 << 20
)

// listed is how many assets the measured process lists. One of a hundred is new.
var listed, _ = strconv.Atoi(os.Getenv(measuredVariable))

// TestMain is also the process that TestMemory measures.
func TestMain(m *testing.M) {
	if listed == 0 {
		os.Exit(m.Run())
	}
	if err := listAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestMemory measures the memory of a full run over many assets: the list, the comparison,
// the records, and the search for what is gone.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), measuredVariable+"="+cmp.Or(os.Getenv(assetsVariable), strconv.Itoa(defaultAssets)))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Heap, RSS uint64 }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	t.Logf("%s assets: heap %.1f MiB, RSS %.1f MiB", cmp.Or(os.Getenv(assetsVariable), strconv.Itoa(defaultAssets)), float64(got.Heap)/(1<<20), float64(got.RSS)/(1<<20))
	if got.RSS > memoryBound && !raceDetector { // which needs several times as much
		t.Errorf("RSS %.1f MiB", float64(got.RSS)/(1<<20))
	}
}

// bigScenario has many assets, one a second.
type bigScenario struct{}

func bigAsset(i int) scenario.Asset {
	at := time.Unix(1_700_000_000+int64(i), 0).UTC()
	id := fmt.Sprintf("asset_%020d", i)
	raw := fmt.Sprintf(`{"id":%q,"updatedAt":%q,"status":"success","kind":"image","metadata":{"prompt":%q}}`, id, at.Format(time.RFC3339), strings.Repeat("words ", 100))
	return scenario.Asset{ID: id, UpdatedAt: at, Status: scenario.AssetSuccess, Raw: json.RawMessage(raw)}
}

func (bigScenario) Assets(_ context.Context, f scenario.AssetFilter) iter.Seq2[scenario.Asset, error] {
	return func(yield func(scenario.Asset, error) bool) {
		from := max(0, int(f.UpdatedAfter.Unix()-1_700_000_000)+1)
		if f.UpdatedAfter.IsZero() {
			from = 0
		}
		for i := from; i < listed; i++ {
			if !yield(bigAsset(i), nil) {
				return
			}
		}
	}
}

func (bigScenario) AssetsByID(context.Context, string, ...string) ([]scenario.Asset, error) {
	return nil, nil
}

// bigS3 has a record of all but one of a hundred, and makes them when they are asked for.
type bigS3 struct{ *memoryS3 }

func (b bigS3) GetObject(ctx context.Context, in *s3.GetObjectInput, o ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	var i int
	if _, err := fmt.Sscanf(*in.Key, "big/metadata/asset_%d.json", &i); err != nil {
		return b.memoryS3.GetObject(ctx, in, o...)
	}
	if i%100 == 0 {
		return nil, apiError("NoSuchKey")
	}
	_, k, err := describe(bigAsset(i), false)
	body, _ := json.Marshal(record{Key: "big/there.png"})
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(body)), ETag: aws.String("e"), Metadata: k.metadata()}, err
}

// PutObject drops the records: no function holds them.
func (b bigS3) PutObject(ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if strings.HasPrefix(*in.Key, "big/metadata/") {
		return &s3.PutObjectOutput{}, nil
	}
	return b.memoryS3.PutObject(ctx, in, o...)
}

// CopyObject drops the files.
func (b bigS3) CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	return &s3.CopyObjectOutput{}, nil
}

func listAll() error {
	step.LimitMemory()
	m := newMemoryS3()
	m.objects["big/there.png"] = stored{}
	m.objects["syncs/big.json"] = stored{body: []byte(`{"destination":{"prefix":"big"}}`)}
	e := Engine{Bucket: bigS3{m}.bucket(), Scenario: bigScenario{}, Executions: nobody{}}
	e.Bucket.S3 = bigS3{m}
	in := ChangesInput{Request: json.RawMessage(`{"name":"big","full":true}`), Execution: archive.Execution{ID: "x"}}
	var most uint64
	for {
		step, err := e.Changes(context.Background(), in)
		if err != nil {
			return err
		}
		if step.Next == NextDone {
			break
		}
		// The batch: everything is there.
		b := step.Batch
		l, err := e.readStatus(context.Background(), "big")
		if err != nil {
			return err
		}
		c := *l.Run.Chunk
		if err := bringAll(m, c); err != nil {
			return err
		}
		if _, err := e.Synced(context.Background(), SyncedInput{Execution: in.Execution, State: State{Step: Step{Batch: b}}}); err != nil {
			return err
		}
		delete(m.objects, c.plan()) // what no function holds
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		most = max(most, memory.HeapInuse)
	}
	status, _ := os.ReadFile("/proc/self/status")
	var rss uint64
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(kib, &rss)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]uint64{"heap": most, "rss": rss << 10})
}

func bringAll(m *memoryS3, c Chunk) error {
	var contents strings.Builder
	for id := range strings.Lines(string(m.objects[c.list()].body)) {
		id = strings.TrimSpace(id)
		fmt.Fprintf(&contents, `{"name":"%s.png","key":"big/incoming/x.png","size":1,"contentType":"image/png","crc32":"00000000"}`+"\n", id)
	}
	m.objects["big/incoming/x.png"] = stored{body: []byte("x")}
	m.objects[c.archives()+"contents.jsonl"] = stored{body: []byte(contents.String())}
	m.objects[c.archives()+"manifest.json"] = stored{body: fmt.Appendf(nil, `{"archives":[{"unpacked":{"contents":%q}}]}`, c.archives()+"contents.jsonl")}
	return nil
}

type nobody struct{}

func (nobody) Running(context.Context, string) (bool, error) { return false, nil }
func (nobody) Start(context.Context, string, []byte) error   { return nil }
