package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// request is one archive of a schedule.
type request struct {
	name   string
	arn    string
	assets []string
	unpack bool
	input  string
}

// requests are the archives of a schedule: most of one part, some of several, some unpacked, some whose job fails.
func requests(seed int64, n int, rng *rand.Rand) []*request {
	list := make([]*request, n)
	for i := range list {
		r := &request{name: fmt.Sprintf("s%d-%02d", seed, i)}
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
		r.unpack = rng.IntN(3) == 0
		r.input = archiveInput(r.assets, r.unpack)
		list[i] = r
	}
	return list
}

// schedule starts the archives, lets things go wrong, and then checks every execution.
func (c *chaos) schedule(ctx context.Context, seed int64) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	before, err := c.Jobs(ctx)
	if err != nil {
		return err
	}
	list := requests(seed, c.archives, rng)
	for _, r := range list {
		if err := c.startExecution(ctx, r); err != nil {
			return err
		}
	}
	if err := c.attack(ctx, rng); err != nil {
		return err
	}
	for _, r := range list {
		e, err := c.wait(ctx, r)
		if err != nil {
			return err
		}
		if err := c.check(r, e); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return c.checkLeftovers(ctx, before)
}

func (c *chaos) startExecution(ctx context.Context, r *request) error {
	machine := c.Env["STATE_MACHINE_ARN"]
	out, err := c.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &r.name, Input: &r.input})
	if err == nil {
		r.arn = *out.ExecutionArn
	}
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
