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
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// options are the arguments.
type options struct {
	repo, dir string
	assets    int
	kills     int
	job       time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.repo, "repo", "..", "`directory` of the repository")
	flag.StringVar(&o.dir, "dir", "", "`directory` for everything (default: one that is removed at the end)")
	flag.IntVar(&o.assets, "assets", 100_000, "`number` of assets")
	flag.IntVar(&o.kills, "kills", 5, "how often the system is killed")
	flag.DurationVar(&o.job, "job-duration", 200*time.Millisecond, "how long a job takes")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "synccheck:", err)
		stop()
		os.Exit(1)
	}
}

// check is the system, what is asked of it, and what the stand-in has.
type check struct {
	*harness.Harness
	options
	versions map[string]int // of each asset's file
}

func run(ctx context.Context, o options) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "synccheck-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	c := &check{options: o, versions: map[string]int{}}
	for i := range o.assets {
		c.versions[fmt.Sprintf("asset_catalogue%07d", i)] = 0
	}
	c.Harness, err = harness.New(ctx, harness.Options{Repo: o.repo, Dir: o.dir, StandInFlags: []string{
		"-job-duration", o.job.String(), "-catalogue", strconv.Itoa(o.assets),
	}})
	if err != nil {
		return err
	}
	defer c.Stop()
	if err := c.StartStandIn(); err != nil {
		return err
	}
	if err := c.StartUp(ctx); err != nil {
		return err
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
