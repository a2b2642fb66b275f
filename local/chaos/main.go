// Command chaos has the local system make archives while its processes are killed, its disk fills and Scenario
// misbehaves, and checks the result of each execution: the exact object, or a named error and no object.
//
//	go run -C local ./chaos                      24 schedules, up to half an hour
//	go run -C local ./chaos -schedules 300       hundreds
//	go run -C local ./chaos -seed 17 -schedules 1
//
// A schedule is made from its seed. It prints what happened as Markdown, and ends with status 1 when anything is not as
// it must be. The full disk needs root on Linux (it mounts a small tmpfs); without, that is left out and printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// options are the arguments.
type options struct {
	seed      int64
	schedules int
	archives  int           // of a schedule
	actions   int           // of a schedule
	limit     time.Duration // of a schedule
}

func main() {
	var o options
	flag.Int64Var(&o.seed, "seed", 1, "of the first schedule; each of the others has the next one")
	flag.IntVar(&o.schedules, "schedules", 24, "`number` of schedules")
	flag.IntVar(&o.archives, "archives", 30, "archives of a schedule, all at once, a third of them in one batch")
	flag.IntVar(&o.actions, "actions", 6, "kills and faults of a schedule")
	flag.DurationVar(&o.limit, "limit", 15*time.Minute, "how long a schedule may take before it counts as hanging")
	harness.Main("chaos", func(ctx context.Context, place harness.Options) error { return run(ctx, place, o) })
}

func run(ctx context.Context, place harness.Options, o options) error {
	c, err := start(ctx, place, o)
	if err != nil {
		return err
	}
	defer c.close()
	for i := range o.schedules {
		if err := c.schedule(ctx, o.seed+int64(i)); err != nil {
			return fmt.Errorf("schedule with seed %d: %w", o.seed+int64(i), err)
		}
	}
	c.Stop()
	if left := c.processes(); len(left) > 0 {
		return fmt.Errorf("left after the end: %v", left)
	}
	c.totals.print(o)
	return nil
}

// totals count what happened.
type totals struct {
	schedules     int
	batches       int
	archives      int // planned, those of batches included
	jobs          int
	actions, ends map[string]int
	leftOut       string // what could not be done here
}

func newTotals() *totals { return &totals{actions: map[string]int{}, ends: map[string]int{}} }

func (t *totals) print(o options) {
	fmt.Printf("## %d schedules, seeds from %d: %d archives, %d batches among them, %d jobs\n\n", t.schedules, o.seed, t.archives, t.batches, t.jobs)
	fmt.Printf("Every archive ended with the exact object, or with a named error and no object; every asset of a batch is in one archive of its manifest. No job was launched twice, no upload and no process was left.\n\n")
	if t.leftOut != "" {
		fmt.Printf("Left out: %s.\n\n", t.leftOut)
	}
	table("what went wrong", t.actions)
	table("how executions ended", t.ends)
}

func table(title string, counts map[string]int) {
	fmt.Printf("| %s | times |\n|---|---:|\n", title)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("| %s | %d |\n", name, counts[name])
	}
	fmt.Println()
}
