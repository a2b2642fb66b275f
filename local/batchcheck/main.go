// Command batchcheck has the local system make a large batch and unpack its archives, as a person would with `local up`,
// and checks what came of it: every archive and every object is read back, and no asset may be missing, there twice or
// other than its source. Then it does the same with jobs that fail, and kills the system several times.
//
//	go run -C local ./batchcheck                 100,000 assets, some minutes
//	go run -C local ./batchcheck -assets 5000    in a minute or so
//
// It prints what it measured as Markdown, and ends with status 1 when anything is not as it must be.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// options are the arguments.
type options struct {
	assets      int
	concurrency int // archives at once
	ceiling     int // jobs that Scenario runs at once
	failing     int // percentage of the archives whose jobs fail
	kills       int // of the system in the second part
	job         time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.assets, "assets", 100_000, "`number` of assets")
	flag.IntVar(&o.concurrency, "concurrency", 8, "archives at once")
	flag.IntVar(&o.ceiling, "ceiling", 5, "jobs that Scenario runs at once; it answers 429 beyond")
	flag.IntVar(&o.failing, "failing", 5, "`percentage` of the jobs that fail in the second part")
	flag.IntVar(&o.kills, "kills", 5, "how often the system is killed in the second part")
	flag.DurationVar(&o.job, "job-duration", 500*time.Millisecond, "how long a job takes")
	harness.Main("batchcheck", func(ctx context.Context, place harness.Options) error { return run(ctx, place, o) })
}

// check is the system, and what is asked of it.
type check struct {
	*harness.Harness
	options
}

func run(ctx context.Context, place harness.Options, o options) error {
	place.StandInFlags = []string{"-max-jobs", fmt.Sprint(o.ceiling), "-job-duration", o.job.String()}
	h, err := harness.New(ctx, place)
	if err != nil {
		return err
	}
	defer h.Stop()
	c := &check{h, o}
	fmt.Printf("## Batch of %d assets, %d archives at once, Scenario's ceiling %d jobs\n\n", o.assets, o.concurrency, o.ceiling)
	if err := c.whole(ctx); err != nil {
		return fmt.Errorf("the whole batch: %w", err)
	}
	if err := c.killed(ctx); err != nil {
		return fmt.Errorf("the batch that was killed: %w", err)
	}
	h.Memory.Print()
	return nil
}
