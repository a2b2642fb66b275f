package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucket is listed a page of two at a time.
type bucket struct {
	mu      sync.Mutex
	objects []types.Object
	fail    int // so many listings
	listed  int // whole listings
}

func (b *bucket) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail > 0 {
		b.fail--
		return nil, errors.New("played by the test")
	}
	from := 0
	if in.ContinuationToken != nil {
		from = slices.IndexFunc(b.objects, func(o types.Object) bool { return *o.Key == *in.ContinuationToken })
	}
	to := min(from+2, len(b.objects))
	out := &s3.ListObjectsV2Output{Contents: slices.Clone(b.objects[from:to])}
	if to < len(b.objects) {
		out.IsTruncated, out.NextContinuationToken = aws.Bool(true), b.objects[to].Key
	} else {
		b.listed++
	}
	return out, nil
}

func (b *bucket) put(key, etag string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects = slices.DeleteFunc(b.objects, func(o types.Object) bool { return *o.Key == key })
	b.objects = append(b.objects, types.Object{Key: &key, ETag: &etag, LastModified: &at, Size: aws.Int64(3)})
}

func (b *bucket) remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects = slices.DeleteFunc(b.objects, func(o types.Object) bool { return *o.Key == key })
}

// look waits until the bucket has been listed twice more: what was there before has been delivered then.
func (b *bucket) look() {
	b.mu.Lock()
	until := b.listed + 2
	b.mu.Unlock()
	for {
		b.mu.Lock()
		done := b.listed >= until
		b.mu.Unlock()
		if done {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// function takes events, after it has failed so many times.
type function struct {
	mu     sync.Mutex
	fail   int
	events []string
}

func (f *function) deliver(_ context.Context, event []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail > 0 {
		f.fail--
		return errors.New("transient")
	}
	f.events = append(f.events, string(event))
	return nil
}

// await waits for so many events.
func (f *function) await(t *testing.T, n int) []string {
	t.Helper()
	for {
		f.mu.Lock()
		events := slices.Clone(f.events)
		f.mu.Unlock()
		if len(events) > n {
			t.Fatalf("%d events, want %d: %v", len(events), n, events)
		}
		if len(events) == n {
			return events
		}
		time.Sleep(time.Millisecond)
	}
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 5e6, time.UTC)

func config(b *bucket, f *function) Config {
	return Config{Storage: b, Bucket: "archive", Prefix: "requests/",
		Deliver: f.deliver, Every: time.Millisecond, Backoff: time.Millisecond}
}

// watch runs until the returned function, which waits for its end.
func watch(t *testing.T, c Config) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); Watch(ctx, c) }()
	return func() { cancel(); <-done }
}

func TestEachObjectOnce(t *testing.T) {
	t.Parallel()
	b, f := &bucket{}, &function{}
	for _, key := range []string{"requests/", "requests/a.json", "requests/b.json", "requests/c.json"} {
		b.put(key, `"1"`, noon)
	}
	defer watch(t, config(b, f))()
	first := f.await(t, 3) // not the folder
	b.look()
	f.await(t, 3)
	b.put("requests/a.json", `"2"`, noon) // another content in the same moment
	f.await(t, 4)
	b.put("requests/a.json", `"2"`, noon.Add(time.Second)) // the same content later
	events := f.await(t, 5)
	b.remove("requests/b.json")
	b.look()
	b.put("requests/b.json", `"1"`, noon) // it is back
	again := f.await(t, 6)[5]
	if !slices.Contains(first, again) {
		t.Errorf("the same object has another event: %s", again)
	}
	seen := map[string]bool{}
	for _, text := range events {
		var e struct {
			Detail struct {
				Object struct{ Key, Sequencer string }
			}
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		id := e.Detail.Object.Key + " " + e.Detail.Object.Sequencer
		if seen[id] {
			t.Errorf("another object with the same sequencer: %s", id)
		}
		seen[id] = true
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	b, f := &bucket{fail: 2}, &function{fail: 3}
	b.put("requests/a.json", `"1"`, noon)
	c := config(b, f)
	var log bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	stop := watch(t, c)
	f.await(t, 1)
	stop()
	if n := bytes.Count(log.Bytes(), []byte("delivered again")); n != 3 {
		t.Errorf("%d failures logged: %s", n, &log)
	}
	if n := bytes.Count(log.Bytes(), []byte("cannot be listed")); n != 2 {
		t.Errorf("%d listings logged: %s", n, &log)
	}
}

// Many objects that are refused must not keep one that is not from being delivered.
func TestRefusedObjectsHoldNoPlace(t *testing.T) {
	t.Parallel()
	b, f := &bucket{}, &function{}
	for i := range 3 * atOnce {
		b.put("requests/bad"+string(rune('a'+i)), `"1"`, noon)
	}
	c := config(b, f)
	c.Backoff = time.Hour
	c.Deliver = func(ctx context.Context, event []byte) error {
		if bytes.Contains(event, []byte("/bad")) {
			return errors.New("for ever")
		}
		return f.deliver(ctx, event)
	}
	defer watch(t, c)() // and the end does not wait for the hour
	b.look()
	b.put("requests/good.json", `"1"`, noon)
	f.await(t, 1)
}

func TestKnownObjectsAreToldOfOnlyWhenTheyChange(t *testing.T) {
	t.Parallel()
	b, f := &bucket{}, &function{}
	b.put("requests/old.json", `"1"`, noon)
	b.put("requests/new.json", `"1"`, noon)
	c := config(b, f)
	c.Known = func(_ context.Context, key string, at time.Time) bool {
		return key == "requests/old.json" && at.Equal(noon)
	}
	defer watch(t, c)()
	f.await(t, 1)
	b.look()
	b.put("requests/old.json", `"1"`, noon.Add(time.Hour))
	f.await(t, 2)
}

func TestStopsWhileItWaits(t *testing.T) {
	t.Parallel()
	b, f := &bucket{}, &function{}
	c := config(b, f)
	c.Every = 0 // the default
	c.Backoff = 0
	stop := watch(t, c)
	stop()
}

func TestEvent(t *testing.T) {
	t.Parallel()
	got := string(Event("archive", "requests/é b.json", `"abc"`, 7, noon))
	const want = `{"account":"000000000000","detail":{"bucket":{"name":"archive"},"object":{"etag":"abc","key":"requests/é b.json",` +
		`"sequencer":"1886E830C83CCB40B6413AEB","size":7},"reason":"PutObject","request-id":"local","requester":"000000000000",` +
		`"source-ip-address":"127.0.0.1","version":"0"},"detail-type":"Object Created","id":"local-1767355200005000000",` +
		`"region":"us-east-1","resources":["arn:aws:s3:::archive"],"source":"aws.s3","time":"2026-01-02T12:00:00.005Z","version":"0"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
