package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// size is the number of assets in an archive.
const size = 1000

func (o options) archives() int { return (o.assets + size - 1) / size }

// fails says whether an archive's job is to fail: evenly spread ones, as many as asked for.
func (o options) fails(archive int) bool {
	return (archive+1)*o.failing/100 > archive*o.failing/100
}

// list makes the IDs. One asset that lets a job fail stands first in each archive that is to fail.
func (o options) list(failing bool) []string {
	ids := make([]string, o.assets)
	for i := range ids {
		kind := "asset"
		if failing && i%size == 0 && o.fails(i/size) {
			kind = "asset_fail"
		}
		ids[i] = fmt.Sprintf("%s_%07d", kind, i)
	}
	return ids
}

// start puts the list into S3 and starts the batch.
func (h *check) start(ctx context.Context, name string, ids []string) (arn string, err error) {
	key := "lists/" + name + ".txt"
	if err := h.Put(ctx, key, strings.Join(ids, "\n")+"\n"+ids[0]+"\n"); err != nil { // with one that comes again
		return "", err
	}
	input, err := json.Marshal(map[string]any{
		"list": map[string]string{"key": key}, "maxConcurrency": h.concurrency, "toleratedFailurePercentage": min(100, 2*h.failing),
		"request": map[string]any{
			"options":     map[string]any{"flat": true, "fileNameTemplate": "<assetId>"},
			"destination": map[string]string{"prefix": name},
			"unpack":      true,
		},
	})
	if err != nil {
		return "", err
	}
	return h.Execute(ctx, "BATCH_STATE_MACHINE_ARN", name, string(input))
}

// wait returns when the execution has ended well, or when enough of its archives are finished.
func (h *check) wait(ctx context.Context, arn string, enough int) error {
	_, err := h.Await(ctx, arn, func() (bool, error) {
		c, err := h.counts(ctx, arn)
		return int(c.Succeeded) >= enough, err
	})
	return err
}

// counts counts the children of the execution's Map Run by status.
func (h *check) counts(ctx context.Context, arn string) (types.MapRunExecutionCounts, error) {
	runs, err := h.SFN.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: &arn})
	if err != nil || len(runs.MapRuns) == 0 {
		return types.MapRunExecutionCounts{}, err
	}
	d, err := h.SFN.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: runs.MapRuns[0].MapRunArn})
	if err != nil {
		return types.MapRunExecutionCounts{}, err
	}
	return *d.ExecutionCounts, nil
}

// whole is a batch in which nothing goes wrong but for Scenario's ceiling.
func (h *check) whole(ctx context.Context) error {
	started := time.Now()
	ids := h.list(false)
	arn, err := h.start(ctx, "whole", ids)
	if err == nil {
		_, err = h.Await(ctx, arn, nil)
	}
	if err != nil {
		return err
	}
	took := time.Since(started)
	found, err := h.verify(ids, "whole", 0)
	if err != nil {
		return err
	}
	jobs, err := h.Jobs(ctx)
	if err != nil {
		return err
	}
	if len(jobs) != h.archives() {
		return fmt.Errorf("%d jobs were launched for %d archives", len(jobs), h.archives())
	}
	fmt.Printf("Whole: %d archives, %d assets, %.1f MiB in %.0f s; %d jobs. Every ZIP was read, and each of %d objects was compared "+
		"with its source: no asset is missing, none is there twice.\n\n",
		found.archives, found.assets, float64(found.bytes)/(1<<20), took.Seconds(), len(jobs), found.objects)
	return nil
}

// killed is a batch of which some jobs fail, and during which the system is killed several times.
func (h *check) killed(ctx context.Context) error {
	before, err := h.Jobs(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	ids := h.list(true)
	arn, err := h.start(ctx, "killed", ids)
	if err != nil {
		return err
	}
	written := map[string]time.Time{}
	for kill := range h.kills {
		if err := h.wait(ctx, arn, h.archives()*(kill+1)/(h.kills+2)); err != nil {
			return fmt.Errorf("before kill %d: %w", kill+1, err)
		}
		if err := h.Kill(); err != nil {
			return err
		}
		if err := h.files("killed", written); err != nil {
			return err
		}
		if err := h.StartUp(ctx); err != nil {
			return err
		}
	}
	if _, err := h.Await(ctx, arn, nil); err != nil {
		return err
	}
	took := time.Since(started)
	failed := h.archives() * h.failing / 100
	found, err := h.verify(ids, "killed", failed)
	if err == nil {
		err = h.files("killed", written)
	}
	if err != nil {
		return err
	}
	after, err := h.Jobs(ctx)
	if err != nil {
		return err
	}
	jobs := len(after) - len(before)
	if most := h.archives() + h.kills*h.concurrency; jobs > most {
		return fmt.Errorf("%d jobs were launched for %d archives", jobs, h.archives())
	}
	fmt.Printf("Killed (SIGKILL) %d times: finished after %.0f s, the restarts included, %d archives, %d failed as they should, %d jobs. "+
		"Each of %d objects was compared with its source. What was there at a kill was not written again.\n\n",
		h.kills, took.Seconds(), found.archives, failed, jobs, found.objects)
	return nil
}
