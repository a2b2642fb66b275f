package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// request is one execution of a schedule: of an archive, or of a batch of small ones.
type request struct {
	name    string
	machine string // the variable that names its ARN
	arn     string
	inbox   bool // started by an object under requests/; then the ARN is not known at once
	assets  []string
	unpack  bool
	input   string
}

// batchSize is how many assets an archive of a batch has, and batchArchives how many of a schedule's archives come from
// its batch: one in so many.
const batchSize, batchArchives = 4, 3

// requests are the executions of a schedule: a batch, and archives of their own. Most of these are of one part, some of
// several; some are unpacked, and some have a job that fails.
func requests(seed int64, n int, rng *rand.Rand) []*request {
	of := n / batchArchives
	b := &request{name: fmt.Sprintf("s%d-batch", seed), machine: "BATCH_STATE_MACHINE_ARN", unpack: rng.IntN(2) == 0}
	for j := range of*batchSize - rng.IntN(batchSize) {
		b.assets = append(b.assets, fmt.Sprintf("asset_%s_%03d", b.name, j))
	}
	if rng.IntN(3) == 0 {
		b.assets[0] = "asset_fail_" + b.name
	}
	b.input = batchInput(b)
	list := []*request{b}
	for i := range n - of {
		r := &request{name: fmt.Sprintf("s%d-%02d", seed, i), machine: "STATE_MACHINE_ARN"}
		count := 1 + rng.IntN(6)
		if rng.IntN(5) == 0 {
			count = 40 + rng.IntN(60) // 12 to 30 MiB
		}
		for j := range count {
			r.assets = append(r.assets, fmt.Sprintf("asset_%s_%d", r.name, j))
		}
		if rng.IntN(15) == 0 {
			r.assets[0] = "asset_fail_" + r.name
		}
		r.unpack, r.inbox = rng.IntN(3) == 0, rng.IntN(3) == 0
		r.input = archiveInput(r.assets, r.unpack)
		list = append(list, r)
	}
	return list
}

// archives are the assets of each archive that a request plans.
func (r *request) archives() [][]string {
	if !r.isBatch() {
		return [][]string{r.assets}
	}
	return slices.Collect(slices.Chunk(r.assets, batchSize))
}

func (r *request) isBatch() bool { return r.machine == "BATCH_STATE_MACHINE_ARN" }

// schedule starts the archives, lets things go wrong, and then checks every execution.
func (c *chaos) schedule(ctx context.Context, seed int64) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	list := requests(seed, c.options.archives, rng)
	for _, r := range list {
		if err := c.startExecution(ctx, r); err != nil {
			return err
		}
	}
	c.posted = nil
	if err := c.attack(ctx, rng); err != nil {
		return err
	}
	list = append(list, c.posted...)
	for _, r := range list {
		e, err := c.wait(ctx, r)
		if err != nil {
			return err
		}
		if err := c.check(r, e); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return c.checkLeftovers(ctx, list)
}

func (c *chaos) startExecution(ctx context.Context, r *request) (err error) {
	if r.isBatch() {
		if err := c.Put(ctx, listKey(r), strings.Join(r.assets, "\n")+"\n"); err != nil {
			return err
		}
	}
	if r.inbox {
		return c.Put(ctx, "requests/"+r.name+".json", r.input)
	}
	r.arn, err = c.Execute(ctx, r.machine, r.name, r.input)
	return err
}

// attack does the actions, each after a moment, and ends with a system that is up and a Scenario that behaves.
func (c *chaos) attack(ctx context.Context, rng *rand.Rand) error {
	all := c.actions()
	for range c.options.actions {
		pause(ctx, time.Duration(rng.IntN(600))*time.Millisecond)
		a := all[rng.IntN(len(all))]
		hit, err := a.do(ctx, c, rng)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if hit {
			c.totals.actions[a.name]++
		}
		if err := c.restart(ctx); err != nil {
			return err
		}
	}
	return c.fault(ctx, nil)
}

// wait returns when an execution has ended. The system is started again whenever it has ended.
func (c *chaos) wait(ctx context.Context, r *request) (*sfn.DescribeExecutionOutput, error) {
	for {
		if err := c.readNote(r); err != nil {
			return nil, err
		}
		e, err := c.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &r.arn})
		if err == nil && e.Status != types.ExecutionStatusRunning {
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("%s is still running", r.name), err)
		}
		if err := c.restart(ctx); err != nil {
			return nil, err
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// readNote learns from the note beside a request in the inbox which execution was started for it, once there is one.
func (c *chaos) readNote(r *request) error {
	if r.arn != "" {
		return nil
	}
	var note struct{ Execution struct{ ARN string } }
	text, err := os.ReadFile(filepath.Join(c.BucketDir(), "requests", r.name+".status.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &note)
	}
	r.arn = note.Execution.ARN
	return err
}
