package unpack

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

var (
	schedules = flag.Int("schedules", defaultSchedules, "seeded schedules of faults to go through; FAULT_SCHEDULES overrides it")
	seedFlag  = flag.Uint64("seed", 0, "run this schedule alone")
)

func scheduleCount() int {
	if n, err := strconv.Atoi(os.Getenv("FAULT_SCHEDULES")); err == nil {
		return n
	}
	return *schedules
}

// chaos decides by a seed what S3 does wrong, and when the process is gone: from that request on nothing reaches S3.
type chaos struct {
	mu     sync.Mutex
	random *rand.Rand
	rate   float64 // of requests that fail
	faults int     // still to come
	killAt int     // requests until the process is gone; -1: never
}

func (c *chaos) decide(op string, r *http.Request) s3test.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killAt == 0 {
		return s3test.Swallow
	}
	if c.killAt > 0 {
		if c.killAt--; c.killAt == 0 && c.random.IntN(2) == 0 {
			return s3test.LostAnswer // the last request arrives, its answer reaches nobody
		}
	}
	if c.faults == 0 || c.random.Float64() >= c.rate {
		return s3test.NoFault
	}
	c.faults--
	kinds := []s3test.Fault{s3test.SlowDown, s3test.Internal, s3test.LostAnswer, s3test.Swallow, s3test.CutBody, s3test.ErrorIn200}
	f := kinds[c.random.IntN(len(kinds))]
	if f == s3test.ErrorIn200 && op != "complete" && !copies(r) {
		return s3test.NoFault
	}
	return f
}

// begin plans one run: the last has no faults.
func (c *chaos) begin(last bool) (deadline time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killAt, c.rate, c.faults = -1, 0, 0
	if last {
		return 0
	}
	switch c.random.IntN(4) {
	case 0:
		c.killAt = 1 + c.random.IntN(60)
	case 1:
		deadline = time.Duration(20+c.random.IntN(400)) * time.Millisecond
	}
	if c.random.IntN(2) == 0 {
		c.rate, c.faults = c.random.Float64()*0.3, 1+c.random.IntN(30)
	}
	return deadline
}

// Every schedule ends in exactly the right objects and their list, or in a named error with nothing wrong in the bucket.
func TestFaultSuite(t *testing.T) {
	t.Parallel()
	n := scheduleCount()
	seeds := make(chan uint64)
	go func() {
		defer close(seeds)
		if *seedFlag != 0 {
			seeds <- *seedFlag
			return
		}
		for i := range n {
			seeds <- uint64(i + 1)
		}
	}()
	for worker := range 3 {
		t.Run(strconv.Itoa(worker), func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			for seed := range seeds {
				runSchedule(t, server, seed)
				if t.Failed() {
					t.Fatalf("schedule %d: run it alone with -seed %d", seed, seed)
				}
			}
		})
	}
}

func runSchedule(t *testing.T, server *s3test.Server, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	c := &chaos{random: random}
	proxy := server.FaultProxy(t, true, c.decide)
	list := files(seed, 5+random.IntN(60), 1<<(4+random.IntN(13)))
	if seed%3 == 0 {
		list = append(list, file{"large.bin", noise(random, 5<<20+random.IntN(9<<20)), seed%2 == 0})
	}
	j := job(server)
	j.Key = strconv.FormatUint(seed, 10) + ".zip"
	j.Prefix = strconv.FormatUint(seed, 10) + "/"
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	j.DropArchive, j.Exclusive = seed%4 == 0, seed%5 != 0
	replaceAt := -1
	if seed%7 == 0 {
		replaceAt = random.IntN(4)
	}
	opt := fastOptions()
	opt.Concurrency = 1 + int(seed%8)
	const runs = 8
	for run := range runs {
		if run == replaceAt {
			putArchive(t, server, j.Key, zipOf(t, files(seed+1000, 3, 100)))
		}
		deadline := c.begin(run == runs-1)
		got, err := oneRun(t, newUnpacker(t, server.Through(t, proxy), opt), j, deadline)
		if err != nil || !got.Finished {
			wantResumable(t, err, replaceAt >= 0 && run >= replaceAt)
			continue
		}
		wantFiles(t, server, j, list, nil)
		_, there := server.Object(t, j.Key)
		if there == j.DropArchive && replaceAt < 0 {
			t.Errorf("the archive is there: %v; it was to be dropped: %v", there, j.DropArchive)
		}
		return
	}
	if replaceAt < 0 {
		t.Error("not finished, though the last run met no fault")
	}
	if err := newUnpacker(t, server.Client, opt).Abort(testContext(t), j); err != nil {
		t.Error(err)
	}
	wantOnly(t, server, j, list)
}

func oneRun(t *testing.T, u *Unpacker, j Job, deadline time.Duration) (Result, error) {
	ctx := testContext(t)
	if deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, deadline)
		defer cancel()
	}
	return u.Run(ctx, j)
}

// wantResumable: what a run may end with when S3 fails, time is short, or the archive is another one.
func wantResumable(t *testing.T, err error, replaced bool) {
	t.Helper()
	var e *Error
	if err == nil {
		return // near its deadline
	}
	if !errors.As(err, &e) || e.Kind != KindStorageUnavailable && e.Kind != KindCanceled && (e.Kind != KindChanged || !replaced) {
		t.Errorf("error %v", err)
	}
}

// wantOnly: whatever is below the prefix is an entry's, whole, and no upload is left.
func wantOnly(t *testing.T, server *s3test.Server, j Job, list []file) {
	t.Helper()
	contents := map[string][]byte{}
	for _, f := range list {
		contents[f.name] = f.content
	}
	for _, key := range keysBelow(t, server, j.Prefix) {
		want, known := contents[strings.TrimPrefix(key, j.Prefix)]
		if got, _ := server.Object(t, key); !known || string(got) != string(want) {
			t.Errorf("%s (%d bytes) is no entry, or not the right one", key, len(got))
		}
	}
	noUploads(t, server, j.Prefix)
}
