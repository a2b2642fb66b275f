package sync

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// countingS3 counts the lists, which memoryS3 does not.
type countingS3 struct {
	*memoryS3
	lists int
}

func (c *countingS3) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, o ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	c.lists++
	return c.memoryS3.ListObjectsV2(ctx, in, o...)
}

// What docs/cost.md counts for a tick that finds nothing to do. Its three state transitions are in TestStateMachine.
func TestRequestsOfATickThatFindsNothing(t *testing.T) {
	for syncs := 1; syncs <= 3; syncs++ {
		w := ready(t, "asset_a", "asset_b")
		for _, name := range []string{"villains", "places"}[:syncs-1] {
			w.define(name, `{"select":{"collectionId":"collection_heroes"}}`)
			w.run(`{"name":"` + name + `"}`)
		}
		w.now = w.now.Add(time.Hour)
		w.run(`{}`) // lists once more what changed last
		w.now = w.now.Add(time.Hour)
		counting := &countingS3{memoryS3: w.s3}
		w.engine.Bucket.S3 = counting
		writes, reads, requests := 0, w.s3.reads, w.requests
		w.s3.write = func() error { writes++; return nil }
		if out := w.run(`{}`); out.Quiet != syncs {
			t.Fatalf("%d syncs: %+v", syncs, out)
		}
		if reads := w.s3.reads - reads; writes != syncs || reads != 3*syncs || counting.lists != 1 || w.requests != requests+syncs {
			t.Errorf("%d syncs: %d writes, %d reads and %d lists in S3, %d requests to Scenario; docs/cost.md has 1, 3, 1 and 1 for one sync",
				syncs, writes, reads, counting.lists, w.requests-requests)
		}
	}
}
