package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// fixture is the API on the test's Step Functions, with Scenario and S3 played by the test.
type fixture struct {
	http.Handler
	sfn     *sfntest.Server
	logs    *bytes.Buffer
	lists   *lists
	objects *objects

	mu       sync.Mutex
	canceled []scenario.JobRef
	aborted  []string
	fail     error // what Scenario and S3 answer
}

func newFixture(t *testing.T, change ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{sfn: sfntest.Start(t), logs: &bytes.Buffer{}, lists: &lists{puts: map[string]string{}, claims: map[string]string{}},
		objects: &objects{owners: map[string]string{}}}
	machine := func(arn string) *executions.Machine {
		m, err := executions.New(f.sfn.Client(), arn)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	o := Options{
		Starter: executions.Starter{Archives: machine(sfntest.MachineARN), Batches: machine(sfntest.BatchMachineARN), Lists: f.lists},
		Cleaner: executions.Cleaner{
			CancelJob: func(_ context.Context, ref scenario.JobRef) error {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.canceled = append(f.canceled, ref)
				return f.fail
			},
			AbortUpload: func(_ context.Context, d archive.Destination, owner string) error {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.aborted = append(f.aborted, d.Bucket+"/"+d.Key+" of "+owner)
				return f.fail
			},
			Objects: f.objects,
		},
		Bucket: bucket.Bucket{S3: noObjects{}, Signer: signer{f}, Name: "b"},
		Logger: slog.New(slog.NewJSONHandler(f.logs, nil)),
		Now:    func() time.Time { return time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC) },
	}
	for _, c := range change {
		c(&o)
	}
	f.Handler = New(o)
	return f
}

// objects plays the bucket's objects: each is of an execution.
type objects struct {
	mu     sync.Mutex
	owners map[string]string // by key; the ETag is the owner's name, too
	fail   error
}

func (o *objects) Head(_ context.Context, key string) (*bucket.Info, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	owner, ok := o.owners[key]
	if !ok || o.fail != nil {
		return nil, o.fail
	}
	return &bucket.Info{ETag: owner, Metadata: map[string]string{"scenario-execution": url.PathEscape(owner)}}, nil
}

func (o *objects) List(_ context.Context, prefix, _ string) iter.Seq2[bucket.Entry, error] {
	o.mu.Lock()
	keys := slices.Sorted(maps.Keys(o.owners))
	o.mu.Unlock()
	return func(yield func(bucket.Entry, error) bool) {
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(bucket.Entry{Key: key}, o.fail) {
				return
			}
		}
	}
}

func (o *objects) Delete(_ context.Context, key, ifETag string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owners[key] == ifETag {
		delete(o.owners, key)
	}
	return o.fail
}

// noObjects is a bucket without objects that takes some.
type noObjects struct{ bucket.S3 }

func (noObjects) ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return &s3.ListObjectsV2Output{}, nil
}

func (noObjects) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "NoSuchKey"}
}

func (noObjects) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return &s3.PutObjectOutput{}, nil
}

// signer signs links for the fixture.
type signer struct{ *fixture }

func (s signer) PresignGetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
	return &v4.PresignedHTTPRequest{URL: "https://s3.example/" + *in.Key + "?signed"}, s.fail
}

var errPlayed = errors.New("played by the test")

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// do sends a request. header are pairs of names and values; a name that begins with '-' is not sent.
func (f *fixture) do(t *testing.T, method, target, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if name, without := strings.CutPrefix(header[i], "-"); without {
			r.Header.Del(name)
		} else {
			r.Header.Add(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Result().Header, raw: w.Body.String()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			t.Fatalf("%s %s: the answer is not JSON: %s", method, target, w.Body)
		}
	}
	return a
}

// problem checks that the answer is one.
func (a answer) problem(t *testing.T, status int, k kind, says string) {
	t.Helper()
	detail, _ := a.body["detail"].(string)
	if a.status != status || a.body["error"] != k.name || !strings.Contains(detail, says) {
		t.Errorf("got %d %s, want %d %s that says %q", a.status, a.raw, status, k.name, says)
	}
	if a.header.Get("Content-Type") != "application/problem+json" || a.body["status"] != float64(status) ||
		a.body["type"] != "urn:scenario-archive:error:"+k.name || a.body["title"] != k.title ||
		a.body["instance"] != "urn:scenario-archive:request:"+a.header.Get("X-Request-Id") {
		t.Errorf("not a whole problem: %s", a.raw)
	}
}

const good = `{"query":{"assetIds":["asset_1"]}}`

// archive starts one and returns its ID.
func (f *fixture) archive(t *testing.T) string {
	t.Helper()
	a := f.do(t, "POST", "/archives", good)
	if a.status != http.StatusAccepted {
		t.Fatalf("got %d %s", a.status, a.raw)
	}
	return a.body["id"].(string)
}
