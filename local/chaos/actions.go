package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"time"
)

// action is one thing that goes wrong. It says whether it found what it acts on.
type action struct {
	name string
	do   func(ctx context.Context, c *chaos, rng *rand.Rand) (bool, error)
}

func killOf(program string) action {
	return action{"kill of " + program, func(_ context.Context, c *chaos, _ *rand.Rand) (bool, error) { return c.kill(program), nil }}
}

// faultOf makes Scenario misbehave for some requests.
func faultOf(name string, fault map[string]any) action {
	return action{name, func(ctx context.Context, c *chaos, rng *rand.Rand) (bool, error) {
		some := maps.Clone(fault)
		some["times"] = 1 + rng.IntN(8)
		return true, c.fault(ctx, some)
	}}
}

// actions are all that can go wrong; those that are likelier to hit a transfer come more than once.
func (c *chaos) actions() []action {
	list := []action{
		killOf("transfer"), killOf("transfer"), killOf("transfer"), killOf("launch"), killOf("launch"), killOf("poll"),
		killOf("unpack"), killOf("unpack"), killOf("plan"), killOf("plan"), killOf("manifest"), killOf("manifest"), killOf("inbox"), killOf("inbox"),
		killOf("versitygw"), killOf("local"), {"kill of api", killOfAPI}, {"kill of api", killOfAPI},
		{"kill of the stand-in", func(_ context.Context, c *chaos, _ *rand.Rand) (bool, error) { return true, c.RestartStandIn() }},
		faultOf("Scenario answers 500", map[string]any{"status": 500}),
		faultOf("Scenario answers 429", map[string]any{"status": 429, "retryAfter": "1"}),
		faultOf("Scenario answers garbage", map[string]any{"status": 200, "body": "<html>busy</html>"}),
		faultOf("Scenario closes before", map[string]any{"drop": "before"}),
		faultOf("Scenario closes after", map[string]any{"drop": "after"}),
		faultOf("the archive is cut", map[string]any{"operation": "archive", "cutAt": 200_000}),
		faultOf("the archive's host answers 503", map[string]any{"operation": "archive", "status": 503}),
		faultOf("the URL is refused", map[string]any{"operation": "archive", "forbidAfter": 100_000}),
	}
	if c.disk.dir != "" {
		list = append(list, action{"full disk", fillDisk})
	}
	return list
}

// fillDisk fills the disk for a moment.
func fillDisk(ctx context.Context, c *chaos, rng *rand.Rand) (bool, error) {
	if err := c.disk.fill(); err != nil {
		return false, err
	}
	pause(ctx, time.Duration(rng.IntN(2000))*time.Millisecond)
	return true, c.disk.free()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
