// Command synccheck has the local system follow a large catalogue of the stand-in, as a person would with `local up`, and
// compares the bucket with it, file by file: after the first run, after some assets changed and some came, and when the
// system is killed in the middle of a first run, several times.
//
//	go run -C local ./synccheck                 100,000 assets, half an hour
//	go run -C local ./synccheck -assets 5000    in some minutes
//
// It prints what it measured as Markdown, and ends with status 1 when anything is not as it must be.
package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// options are the arguments.
type options struct {
	assets int
	kills  int
	job    time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.assets, "assets", 100_000, "`number` of assets")
	flag.IntVar(&o.kills, "kills", 5, "how often the system is killed")
	flag.DurationVar(&o.job, "job-duration", 200*time.Millisecond, "how long a job takes")
	harness.Main("synccheck", func(ctx context.Context, place harness.Options) error { return run(ctx, place, o) })
}

// check is the system, what is asked of it, and what the stand-in has.
type check struct {
	*harness.Harness
	options
	versions map[string]int // of each asset's file
}

func run(ctx context.Context, place harness.Options, o options) error {
	place.StandInFlags = []string{"-job-duration", o.job.String(), "-catalogue", strconv.Itoa(o.assets)}
	h, err := harness.New(ctx, place)
	if err != nil {
		return err
	}
	defer h.Stop()
	c := &check{h, o, map[string]int{}}
	for i := range o.assets {
		c.versions[fmt.Sprintf("asset_catalogue%07d", i)] = 0
	}
	fmt.Printf("## Sync of %d assets\n\n", o.assets)
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"the first run", c.first}, {"the changes", c.changes}, {"a tick that finds nothing", c.quiet}, {"the kills", c.killed}} {
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	c.Memory.Print()
	return nil
}
