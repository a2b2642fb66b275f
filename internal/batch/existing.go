package batch

import (
	"context"
	"errors"
	"io"
	"net/url"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// What the transfer function writes into an archive's metadata, percent-encoded, and this package into a manifest's.
const (
	metadataExecution = "scenario-execution"
	metadataJob       = "scenario-job-id"
	metadataBatch     = "scenario-batch"
)

// headsAtOnce is how many objects are asked for at once.
const headsAtOnce = 16

// found is an archive that is in the bucket.
type found struct {
	execution string          // that wrote it, as its metadata says; "" if it does not
	output    *archive.Output // of that execution, but for the number of entries, which is -1; nil when there is none
}

// existing finds the plan's archives that are there, by their keys.
func (s Storage) existing(ctx context.Context, n naming, archives int) (map[string]found, error) {
	planned := map[string]bool{}
	for i := range archives {
		planned[n.key(i+1)] = true
	}
	var keys []string
	for o, err := range s.List(ctx, n.base+"-", "") {
		if err != nil {
			return nil, err
		}
		if planned[o.Key] {
			keys = append(keys, o.Key)
		}
		if o.Key > n.key(archives) {
			break
		}
	}
	looks := make([]found, len(keys))
	err := Each(ctx, len(keys), func(ctx context.Context, i int) (err error) {
		looks[i], err = s.lookAt(ctx, keys[i])
		return err
	})
	there := map[string]found{}
	for i, f := range looks {
		if f.output != nil { // else it was deleted meanwhile
			there[keys[i]] = f
		}
	}
	return there, err
}

func (s Storage) lookAt(ctx context.Context, key string) (found, error) {
	h, err := s.Head(ctx, key)
	if err != nil || h == nil {
		return found{}, err
	}
	execution, _ := url.PathUnescape(h.Metadata[metadataExecution])
	job, _ := url.PathUnescape(h.Metadata[metadataJob])
	return found{execution, &archive.Output{
		Bucket: s.Name, Key: key, Size: h.Size, ETag: h.ETag, ChecksumCRC64NVME: h.CRC64NVME, JobID: job, Entries: -1,
	}}, nil
}

// countEntries reads how many files the archives hold that an earlier run left: S3 does not know.
func (s Storage) countEntries(ctx context.Context, outcomes []outcome) error {
	var outputs []*archive.Output
	for _, o := range outcomes {
		if o.Finished != nil && o.Finished.Entries < 0 {
			outputs = append(outputs, o.Finished)
		}
	}
	return Each(ctx, len(outputs), func(ctx context.Context, i int) (err error) {
		outputs[i].Entries, err = s.entries(ctx, outputs[i])
		return err
	})
}

func (s Storage) entries(ctx context.Context, o *archive.Output) (int64, error) {
	d, err := zipfile.Read(ctx, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return s.Get(ctx, o.Key, bucket.GetOptions{ETag: o.ETag, From: off, To: off + n})
	}, o.Size)
	if errors.As(err, new(*zipfile.Error)) {
		return 0, archive.NewError(archive.DestinationConflict, err, "%q is there already and is no ZIP archive; "+
			"delete it, or choose another place", o.Key)
	}
	return d.Entries, unreadable(o.Key, err)
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
