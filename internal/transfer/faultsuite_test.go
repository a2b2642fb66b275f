package transfer

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

var (
	schedules = flag.Int("schedules", 50, "seeded schedules of faults to go through; FAULT_SCHEDULES overrides it")
	seedFlag  = flag.Uint64("seed", 0, "run this schedule alone")
)

// chaos decides by a seed what goes wrong. Each request draws the next decision: which request gets which depends on
// the order in which they come, so that a seed reproduces the kinds and the number of faults exactly and their places
// nearly; with -seed and Concurrency 1 (even seeds have it) exactly.
type chaos struct {
	mu     sync.Mutex
	random *rand.Rand
	rate   float64 // of requests that fail
	left   int     // faults still to come
}

func (c *chaos) draw(n int) (k int, fails bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || c.random.Float64() >= c.rate {
		return 0, false
	}
	c.left--
	return c.random.IntN(n), true
}

func (c *chaos) number(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

// onSource is what the source does wrong.
func (c *chaos) onSource(src *fakeSource, other []byte, final bool) hook {
	return func(w http.ResponseWriter, r *http.Request, n int) bool {
		kinds := 9
		if final {
			kinds = 11
		}
		k, fails := c.draw(kinds)
		if !fails {
			return false
		}
		content, etag := src.content, src.etag
		switch k {
		case 0, 1, 2:
			cutAfter(content, etag, c.number(6<<20))(w, r)
		case 3:
			status(500+c.number(5))(w, r)
		case 4:
			status(429, "Retry-After", "0")(w, r)
		case 5: // says more than it sends
			w = &cuttingWriter{w, c.number(1 << 20)}
			serve(w, r, content, etag)
		case 6:
			r.Header.Set("Range", "bytes=7-99")
			serve(w, r, content, etag)
		case 7:
			status(503)(w, r)
		case 8:
			cut()
		case 9:
			serve(w, r, other, etagOf(other))
		case 10:
			status(403)(w, r)
		}
		return true
	}
}

func (c *chaos) onStorage(op string, _ *http.Request) s3test.Fault {
	faults := []s3test.Fault{s3test.SlowDown, s3test.Internal, s3test.LostAnswer, s3test.Swallow, s3test.CutBody, s3test.ErrorIn200}
	k, fails := c.draw(len(faults))
	if !fails || faults[k] == s3test.ErrorIn200 && op != "complete" {
		return s3test.NoFault
	}
	return faults[k]
}

// TestFaultSuite goes through seeded schedules of faults on both sides, process ends included (as contexts that end at
// random instants; resume after SIGKILL has its own test). The driver does what the state machine does: it runs again
// after errors that are resumable. Each schedule ends with the exact object or a named error, and with no upload left.
func TestFaultSuite(t *testing.T) {
	server := s3test.Start(t)
	if n, err := strconv.Atoi(os.Getenv("FAULT_SCHEDULES")); err == nil {
		*schedules = n
	}
	first, count := uint64(1), *schedules
	if *seedFlag != 0 {
		first, count = *seedFlag, 1
	}
	small, two, three := makeZIP(t, 40, 5000, 3), makeZIP(t, 41, int(firstRange)+100_000, 3), makeZIP(t, 42, int(firstRange+minPartSize)+100_000, 3)
	contents := [][]byte{small, two, small, two, small, small, small, two, small, three}
	other := makeZIP(t, 44, int(firstRange)+200_000, 3)
	seeds := make(chan uint64)
	var wg sync.WaitGroup
	for range 6 { // mostly they wait
		wg.Go(func() {
			for seed := range seeds {
				runSchedule(t, server, seed, contents[seed%uint64(len(contents))], other)
			}
		})
	}
	for i := range count {
		seeds <- first + uint64(i)
	}
	close(seeds)
	wg.Wait()
}

func runSchedule(t *testing.T, server *s3test.Server, seed uint64, content, other []byte) {
	random := rand.New(rand.NewPCG(seed, 1))
	c := &chaos{random: random, rate: 0.05 + random.Float64()*0.5, left: random.IntN(25)}
	src := newSource(t, content)
	defer src.Close()
	if seed%7 == 0 {
		src.set(func() { src.etag = "" }) // no validator: in order
	}
	src.set(func() { src.hook = c.onSource(src, other, seed%3 == 0) })
	proxy := server.FaultProxy(t, true, c.onStorage)
	defer proxy.Close()
	opt := fastOptions()
	opt.Concurrency = 1 + int(seed%2)*5
	tr := newTransferer(t, server.Through(t, proxy), opt)
	o := object(server, "seed/"+strconv.FormatUint(seed, 10))

	got, err := drive(tr, src.url(), o, rand.New(rand.NewPCG(seed, 2)))
	if abortErr := newTransferer(t, server.Client, opt).Abort(context.Background(), o); abortErr != nil {
		t.Errorf("seed %d: abort: %v", seed, abortErr)
	}
	data, exists := server.Object(t, o.Key)
	var e *Error
	switch {
	case err == nil && (!got.Finished || !bytes.Equal(data, content) || got.Entries != 3):
		if !bytes.Equal(data, other) { // the source had become another archive before the last run
			t.Errorf("seed %d: finished=%v, but the object (%d bytes) is not the archive", seed, got.Finished, len(data))
		}
	case err != nil && !errors.As(err, &e):
		t.Errorf("seed %d: nameless error %v", seed, err)
	case err != nil && exists && !bytes.Equal(data, content) && !bytes.Equal(data, other):
		t.Errorf("seed %d: %v, and an object that is no archive", seed, err)
	}
	if left := server.Uploads(t)[o.Key]; len(left) > 0 {
		t.Errorf("seed %d: uploads left: %v (last error %v)", seed, left, err)
	}
}

// drive runs until the end or an error that stays, some runs with a context that ends in mid-way.
func drive(tr *Transferer, url string, o Object, random *rand.Rand) (got Result, err error) {
	for range 12 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if random.IntN(4) == 0 {
			time.AfterFunc(time.Duration(random.IntN(300))*time.Millisecond, cancel)
		}
		got, err = tr.Run(ctx, url, o)
		cancel()
		var e *Error
		if err == nil && got.Finished || err != nil && errors.As(err, &e) && !e.Kind.Resumable() {
			return got, err
		}
	}
	return got, err
}
