package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// memory is an S3 bucket in memory, as far as this function needs one.
type memory struct {
	URL string

	mu       sync.Mutex
	objects  map[string]stored
	requests []string
	fault    func(w http.ResponseWriter, r *http.Request, key string) (answered bool)
}

type stored struct {
	body     func() io.Reader
	size     int64
	etag     string
	encoding string
	metadata map[string]string
}

func newBucket(t *testing.T) *memory {
	t.Helper()
	b := &memory{objects: map[string]stored{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

// drop puts an object, and returns it as an event has it.
func (b *memory) drop(key, content string) object {
	sum := md5.Sum([]byte(content))
	etag := hex.EncodeToString(sum[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = stored{body: func() io.Reader { return strings.NewReader(content) }, size: int64(len(content)), etag: etag}
	return object{bucket: "bucket", key: key, etag: etag, sequencer: "00617F08299329D189", time: "2026-01-02T15:04:05Z"}
}

// replace puts an object if its conditions hold.
func (b *memory) replace(key, content, ifMatch, ifNoneMatch string) bool {
	b.mu.Lock()
	o, found := b.objects[key]
	if found && ifNoneMatch != "" || ifMatch != "" && (!found || ifMatch != `"`+o.etag+`"`) {
		b.mu.Unlock()
		return false
	}
	b.mu.Unlock()
	b.drop(key, content)
	return true
}

func (b *memory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	b.mu.Lock()
	b.requests = append(b.requests, r.Method+" "+key)
	fault, o, found := b.fault, b.objects[key], false
	_, found = b.objects[key]
	b.mu.Unlock()
	if fault != nil && fault(w, r, key) {
		return
	}
	switch {
	case r.Method == http.MethodPut:
		content, _ := io.ReadAll(r.Body)
		if !b.replace(key, string(content), r.Header.Get("If-Match"), r.Header.Get("If-None-Match")) {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		}
	case r.Method == http.MethodDelete:
		b.mu.Lock()
		delete(b.objects, key)
		b.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case !found:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != `"`+o.etag+`"`:
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	default:
		if o.encoding != "" {
			w.Header().Set("Content-Encoding", o.encoding)
		}
		for name, value := range o.metadata {
			w.Header().Set("X-Amz-Meta-"+name, value)
		}
		w.Header().Set("ETag", `"`+o.etag+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(o.size))
		_, _ = io.Copy(w, o.body())
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>by the test</Message></Error>", code)
}

// note reads what was written beside a request; nil when nothing was.
func (b *memory) note(t *testing.T, key string) map[string]any {
	t.Helper()
	b.mu.Lock()
	o, ok := b.objects[key]
	b.mu.Unlock()
	if !ok {
		return nil
	}
	var got map[string]any
	if err := json.NewDecoder(o.body()).Decode(&got); err != nil {
		t.Errorf("%s: %v", key, err)
	}
	return got
}

func (b *memory) breaks(f func(w http.ResponseWriter, r *http.Request, key string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

type fixture struct {
	*inbox
	*memory
	sfn     *sfntest.Server
	logs    *lockedBuffer
	aborted []string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{memory: newBucket(t), sfn: sfntest.Start(t), logs: &lockedBuffer{}}
	machine, err := executions.New(f.sfn.Client(), sfntest.MachineARN)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := executions.New(f.sfn.Client(), sfntest.BatchMachineARN)
	if err != nil {
		t.Fatal(err)
	}
	client := s3.New(s3.Options{
		BaseEndpoint: &f.memory.URL, UsePathStyle: true, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	storage := bucket.Bucket{S3: client, Name: "bucket", Owner: "000000000000"}
	f.inbox = &inbox{
		bucket:  storage,
		starter: executions.Starter{Archives: machine, Batches: batches, Lists: batch.Storage{Bucket: storage}},
		cleaner: executions.Cleaner{Objects: storage, AbortUpload: func(_ context.Context, d archive.Destination, arn string) error {
			f.aborted = append(f.aborted, d.Key+" of "+arn)
			return nil
		}},
		log: slog.New(slog.NewJSONHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return f
}

// eventBridge is the event about an object.
func eventBridge(o object) json.RawMessage {
	return marshal(map[string]any{"source": "aws.s3", "detail-type": "Object Created", "time": o.time, "detail": map[string]any{
		"bucket": map[string]any{"name": o.bucket},
		"object": map[string]any{"key": o.key, "etag": o.etag, "version-id": o.version, "sequencer": o.sequencer},
	}})
}

func marshal(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// only is the one execution there is: its name and input.
func (f *fixture) only(t *testing.T) (name, input string) {
	t.Helper()
	all := f.sfn.Inputs()
	if len(all) != 1 {
		t.Fatalf("%d executions: %v", len(all), all)
	}
	for name, input = range all {
	}
	return name, input
}
