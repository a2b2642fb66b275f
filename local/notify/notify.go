// Package notify sends a function an event for each object that appears in a bucket, as EventBridge does with S3's
// events: at least once, again after a failure, and also after this program was down.
//
// It looks at the bucket instead of listening to the S3 server: versitygw's webhook sends each event once, whether it
// arrives or not, under names and with sequencers that are not S3's. What stands in the bucket cannot be missed. The
// same object gives the same event each time, so that a second delivery is harmless.
package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
)

// Config says what is watched and where events go. All but the last four are required.
type Config struct {
	Storage        s3.ListObjectsV2APIClient
	Bucket, Prefix string
	// Deliver gives an event to the function. An error means: again, later.
	Deliver func(ctx context.Context, event []byte) error
	// Known says whether an object that was there before needs no event, by its key and its event's time. Default:
	// all need one.
	Known func(ctx context.Context, key string, at time.Time) bool
	// Every is how long it waits from one look to the next. Default 1 s; a bucket that takes long to list is looked at
	// less often.
	Every time.Duration
	// Backoff is how long it waits before an event is delivered again, twice as long each time, up to a minute. Default 1 s.
	Backoff time.Duration
	// Logger gets what goes wrong. Default: dropped.
	Logger *slog.Logger
}

const (
	maxBackoff = time.Minute
	maxPause   = 30 * time.Second
	atOnce     = 8 // deliveries
)

// watcher is a run of Watch.
type watcher struct {
	Config
	seen  map[string]identity
	slots chan struct{}
	group sync.WaitGroup
}

// identity is what makes an object another one than the one that had its key before.
type identity struct {
	etag string
	at   time.Time
}

// Watch sends events until ctx ends; then it returns when no delivery is under way.
func Watch(ctx context.Context, c Config) {
	w := newWatcher(c)
	defer w.group.Wait()
	first := true
	for ctx.Err() == nil {
		started := time.Now()
		if err := w.look(ctx, first); err == nil {
			first = false
		} else if ctx.Err() == nil {
			w.Logger.Warn("the bucket cannot be listed", "cause", err.Error())
		}
		pause(ctx, min(max(w.Every, 10*time.Since(started)), maxPause))
	}
}

func newWatcher(c Config) *watcher {
	c.Every = cmp.Or(c.Every, time.Second)
	c.Backoff = cmp.Or(c.Backoff, time.Second)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return &watcher{Config: c, seen: map[string]identity{}, slots: make(chan struct{}, atOnce)}
}

// Deliver gives one event to the function, again after each failure, until it is accepted or ctx ends. Of the
// configuration it needs Deliver alone; key is for the log.
func Deliver(ctx context.Context, c Config, key string, event []byte) {
	newWatcher(c).deliver(ctx, key, event)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// look sends an event for every object that is new or has changed since the last look.
func (w *watcher) look(ctx context.Context, first bool) error {
	there := map[string]bool{}
	pages := s3.NewListObjectsV2Paginator(w.Storage, &s3.ListObjectsV2Input{Bucket: &w.Bucket, Prefix: &w.Prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			if strings.HasSuffix(key, "/") { // a folder
				continue
			}
			there[key] = true
			id := identity{aws.ToString(o.ETag), aws.ToTime(o.LastModified)}
			if w.seen[key] == id {
				continue
			}
			w.seen[key] = id
			w.send(ctx, key, id, aws.ToInt64(o.Size), first)
		}
	}
	maps.DeleteFunc(w.seen, func(key string, _ identity) bool { return !there[key] })
	return nil
}

// send delivers an event in the background until it is accepted: the function decides about an object that was removed
// or replaced since.
func (w *watcher) send(ctx context.Context, key string, id identity, size int64, first bool) {
	w.group.Go(func() {
		known := false
		if first && w.Known != nil {
			_ = w.inTurn(ctx, func() error { known = w.Known(ctx, key, id.at); return nil })
		}
		if !known {
			w.deliver(ctx, key, Event(w.Bucket, key, id.etag, size, id.at))
		}
	})
}

// inTurn bounds how much is done at once. What waits to be tried again holds no place.
func (w *watcher) inTurn(ctx context.Context, do func() error) error {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *watcher) deliver(ctx context.Context, key string, event []byte) {
	for wait := w.Backoff; ; wait = min(2*wait, maxBackoff) {
		err := w.inTurn(ctx, func() error { return w.Deliver(ctx, event) })
		if err == nil || ctx.Err() != nil {
			return
		}
		w.Logger.Warn("an event was not taken; it is delivered again", "key", key, "after", wait.String(), "cause", err.Error())
		if pause(ctx, wait); ctx.Err() != nil {
			return
		}
	}
}

// Event is EventBridge's "Object Created" for an object: the same bytes each time for the same object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
func Event(bucket, key, etag string, size int64, at time.Time) []byte {
	return event("Object Created", "aws.s3", "arn:aws:s3:::"+bucket, at, map[string]any{
		"version": "0",
		"bucket":  map[string]any{"name": bucket},
		"object": map[string]any{
			"key": key, "size": size, "etag": strings.Trim(etag, `"`), "sequencer": sequencer(etag, at),
		},
		"request-id": "local", "requester": emulator.Account, "source-ip-address": "127.0.0.1", "reason": "PutObject",
	})
}

// Ended is EventBridge's "Step Functions Execution Status Change" for an execution that ended.
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
func Ended(executionARN, name, status string, at time.Time) []byte {
	machine := strings.Replace(strings.TrimSuffix(executionARN, ":"+name), ":execution:", ":stateMachine:", 1)
	return event("Step Functions Execution Status Change", "aws.states", executionARN, at, map[string]any{
		"executionArn": executionARN, "stateMachineArn": machine, "name": name, "status": status, "stopDate": at.UnixMilli(),
	})
}

func event(kind, source, resource string, at time.Time, detail map[string]any) []byte {
	text, _ := json.Marshal(map[string]any{ // strings and numbers cannot fail
		"version": "0", "id": fmt.Sprintf("local-%d", at.UnixNano()), "detail-type": kind, "source": source,
		"account": emulator.Account, "time": Time(at), "region": emulator.Region, "resources": []string{resource}, "detail": detail,
	})
	return text
}

// sequencer sorts by time, and is another one for another content of the same moment.
func sequencer(etag string, at time.Time) string {
	content := fnv.New32a()
	_, _ = content.Write([]byte(etag)) // never fails
	return fmt.Sprintf("%016X%08X", at.UnixNano(), content.Sum32())
}

// Time is when an object appeared, as its event says it.
func Time(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
