package batch

import (
	"context"
	"net/url"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// What the transfer function writes into an archive's metadata, percent-encoded, and this package into a manifest's.
const (
	metadataExecution = "scenario-execution"
	metadataJob       = "scenario-job-id"
	metadataBatch     = "scenario-batch"
)

// headsAtOnce is how many objects are asked for at once.
const headsAtOnce = 16

// existing is an object at an archive's key.
type existing struct {
	number         int
	key            string
	execution, job string // as its metadata says; "" if it does not
	etag, crc      string
	size           int64
}

// output is what the archive's own execution ended with, but for the number of entries.
func (x existing) output(bucket string) *archive.Output {
	return &archive.Output{
		Bucket: bucket, Key: x.key, Size: x.size, ETag: x.etag, ChecksumCRC64NVME: x.crc, JobID: x.job, Entries: -1,
	}
}

// existing finds the objects at the keys of archives from to to.
func (s Storage) existing(ctx context.Context, n naming, from, to int) (map[int]existing, error) {
	numbers := map[string]int{}
	for i := from; i <= to; i++ {
		numbers[n.key(i)] = i
	}
	var found []existing
	for o, err := range s.List(ctx, n.base+"-", "") {
		if err != nil {
			return nil, err
		}
		if i, ok := numbers[o.Key]; ok {
			found = append(found, existing{number: i, key: o.Key})
		}
		if o.Key > n.key(to) {
			break
		}
	}
	if err := Each(ctx, len(found), func(ctx context.Context, i int) error { return s.lookAt(ctx, &found[i]) }); err != nil {
		return nil, err
	}
	there := map[int]existing{}
	for _, x := range found {
		if x.etag != "" { // it was deleted meanwhile
			there[x.number] = x
		}
	}
	return there, nil
}

func (s Storage) lookAt(ctx context.Context, x *existing) error {
	h, err := s.Head(ctx, x.key)
	if err != nil || h == nil {
		return err
	}
	x.execution, _ = url.PathUnescape(h.Metadata[metadataExecution])
	x.job, _ = url.PathUnescape(h.Metadata[metadataJob])
	x.etag, x.crc, x.size = h.ETag, h.CRC64NVME, h.Size
	return nil
}

// Each does n pieces of work, headsAtOnce at once. The first error ends the others and is the result.
func Each(ctx context.Context, n int, work func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(n, headsAtOnce) {
		wait.Go(func() {
			for i := range next {
				if err := work(ctx, i); err != nil {
					cancel(err) // only the first counts
				}
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}
