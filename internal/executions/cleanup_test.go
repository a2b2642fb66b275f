package executions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func put(t *testing.T, b bucket.Bucket, key, execution string) {
	t.Helper()
	metadata := map[string]string{"scenario-execution": url.PathEscape(execution)}
	if _, err := b.Put(t.Context(), key, []byte("x"), bucket.PutOptions{Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
}

// A stopped unpacking leaves nothing of its own in the bucket: no object, no upload; and everything of others.
func TestCleanUpOfAnUnpacking(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	b := bucket.Bucket{S3: s.Client, Name: s.Bucket}
	abort := uploadAborter(s.Client, "", slog.New(slog.DiscardHandler))
	const name = "héros 1"
	put(t, b, "c/heroes.zip", name)
	var kept []string
	for i := range 40 {
		put(t, b, fmt.Sprintf("c/heroes/é %d.png", i), name)
		if i < 5 {
			key := fmt.Sprintf("c/heroes/other %d.png", i)
			put(t, b, key, "another")
			kept = append(kept, key)
		}
	}
	put(t, b, "c/heroes2/x.png", name) // not below the prefix
	kept = append(kept, "c/heroes2/x.png")
	key := "c/heroes/large.bin"
	if _, err := s.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.Bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
	p := Progress{State: unpackState, Job: archive.Job{ID: "job_1"}, Destination: archive.Destination{
		Bucket: s.Bucket, Key: "c/heroes.zip", Exclusive: true, Unpack: &archive.Unpacking{Prefix: "c/heroes/", KeepArchive: true, Exclusive: true}}}
	e := Execution{Name: name, ARN: "arn:aws:states:us-east-1:000000000000:execution:archive:" + name}
	c := Cleaner{AbortUpload: abort, Objects: b}
	for _, want := range []string{"removed", "none"} {
		done := c.CleanUp(t.Context(), slog.New(slog.DiscardHandler), e, p)
		if done != (Cleanup{Job: "not-canceled", Upload: "aborted", Object: want}) {
			t.Errorf("got %+v", done)
		}
	}
	var left []string
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, o.Key)
	}
	if !slices.Equal(left, kept) || len(s.Uploads(t)) != 0 {
		t.Errorf("left %q, uploads %v", left, s.Uploads(t))
	}
}

// appearing is a bucket in which the object appears while it is looked for.
type appearing struct {
	bucket.Bucket
	looks, after int
	deleted      bool
}

func (a *appearing) Head(context.Context, string) (*bucket.Info, error) {
	if a.looks++; a.looks <= a.after {
		return nil, nil
	}
	return &bucket.Info{Metadata: map[string]string{"scenario-execution": "x"}}, nil
}

func (a *appearing) Delete(context.Context, string, string) error {
	a.deleted = true
	return nil
}

// What a function was completing when its execution was stopped appears after the first look.
func TestCleanUpSeesWhatAppearsLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state string
		after int
		want  string
	}{{"Transfer", 0, "removed"}, {"Transfer", 2, "removed"}, {"Transfer", 3, "none"}, {"Poll", 1, "none"}} {
		synctest.Test(t, func(t *testing.T) {
			objects := &appearing{after: c.after}
			cleaner := Cleaner{Objects: objects, AbortUpload: func(context.Context, archive.Destination, string) error { return errors.New("no") }}
			p := Progress{State: c.state, Job: archive.Job{ID: "job_1"}, Destination: archive.Destination{Key: "k.zip"}}
			done := cleaner.CleanUp(t.Context(), slog.New(slog.DiscardHandler), Execution{Name: "x"}, p)
			if done.Object != c.want || objects.deleted != (c.want == "removed") || done.Upload != "not-aborted" {
				t.Errorf("%s after %d looks: %+v", c.state, c.after, done)
			}
		})
	}
}
