package batch

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/bucket/buckettest"
)

// Whatever call of S3 fails, and whichever time, the plan fails with a named error and leaves no upload; the next one
// succeeds.
func TestPlanAndManifestThroughFaults(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	in := Input{AssetIDs: ids(1, 2500)}
	p, err := Planner{Storage: b.storage()}.Plan(t.Context(), in, executionNamed("first"), 0)
	if err != nil {
		t.Fatal(err)
	}
	b.putArchive(b.items(p)[1].PlannedArchive, 3)
	for _, call := range []string{"GetObject", "HeadObject", "ListObjectsV2", "PutObject"} {
		failures := 0
		for n := range 12 {
			s := b.storage()
			s.S3 = buckettest.Failing(b.Client, call, n)
			p, err := Planner{Storage: s}.Plan(t.Context(), in, executionNamed("run"), 0)
			if err == nil {
				_, err = Manifester{s}.Write(t.Context(), ManifestInput{State: State{Plan: p}})
			}
			if errorName(err) == "BatchFailed" { // no fault, but two archives are missing
				break
			}
			failures++
			if errorName(err) != "DestinationUnavailable" {
				t.Errorf("%s %d: got %s %v", call, n, errorName(err), err)
			}
		}
		if failures < 2 || failures == 12 {
			t.Errorf("%s: %d faults", call, failures)
		}
	}
	if left := b.Uploads(t); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A body that breaks off is no shorter list.
func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("l.txt", "a\nb\n", nil)
	s := b.storage()
	s.S3 = &truncating{s.S3}
	_, err := Planner{Storage: s}.Plan(t.Context(), Input{List: &List{Key: "l.txt"}}, executionNamed("run"), 0)
	if errorName(err) != "DestinationUnavailable" {
		t.Errorf("got %s %v", errorName(err), err)
	}
}

type truncating struct{ bucket.S3 }

func (f *truncating) GetObject(ctx context.Context, in *s3.GetObjectInput, o ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	out, err := f.S3.GetObject(ctx, in, o...)
	if err == nil {
		out.Body.Close()
		out.Body = &brokenBody{bytes.NewReader([]byte("a\n"))}
	}
	return out, err
}

type brokenBody struct{ *bytes.Reader }

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }
