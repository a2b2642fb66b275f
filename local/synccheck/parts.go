package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// status is what is read of a sync's status.
type status struct {
	Status string
	Counts struct {
		Listed, Fetched, Rewritten, Failed, Pending int
		Bytes                                       int64
	}
	Error, Cause string
}

func (c *check) define(ctx context.Context, name string) error {
	return c.Put(ctx, "syncs/"+name+".json", fmt.Sprintf(`{"select": {}, "destination": {"prefix": %q}}`, name))
}

func (c *check) status(ctx context.Context, name string) (s status, err error) {
	bucket, key := c.Env["BUCKET"], "syncs/"+name+".status.json"
	out, err := c.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return s, err
	}
	defer out.Body.Close()
	return s, json.NewDecoder(out.Body).Decode(&s)
}

// wait returns when a run of the sync has ended well, or when there is a run and enough is true.
func (c *check) wait(ctx context.Context, name string, enough func() bool) (s status, err error) {
	err = c.Wait(ctx, func() (bool, error) {
		var err error
		s, err = c.status(ctx, name)
		switch {
		case err != nil:
			return false, nil // there is none yet, or the system starts again
		case s.Status == "failed":
			return false, fmt.Errorf("it failed: %s: %s", s.Error, s.Cause)
		}
		return s.Status == "succeeded" || enough != nil && enough(), nil
	})
	return s, err
}

// execute runs the state machine and gives what it ended with, and how many states it entered.
func (c *check) execute(ctx context.Context, input string) (output string, states int, err error) {
	arn, err := c.Execute(ctx, "SYNC_STATE_MACHINE_ARN", "", input)
	if err != nil {
		return "", 0, err
	}
	e, err := c.Await(ctx, arn, nil)
	if err != nil {
		return "", 0, err
	}
	history, err := c.SFN.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1000})
	if err != nil {
		return "", 0, err
	}
	for _, event := range history.Events {
		if event.StateEnteredEventDetails != nil {
			states++
		}
	}
	return *e.Output, states, nil
}

// asked is what the stand-in was asked for.
type asked struct{ jobs, assets, lists int }

func (c *check) asked(ctx context.Context) (a asked, err error) {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return a, err
	}
	a.jobs = len(jobs)
	for _, j := range jobs {
		a.assets += j.Assets
	}
	var seen struct{ Requests map[string]int }
	err = c.StandIn(ctx, http.MethodGet, "requests", nil, &seen)
	a.lists = seen.Requests["list-assets"]
	return a, err
}

// first is a first run in which nothing goes wrong.
func (c *check) first(ctx context.Context) error {
	started := time.Now()
	if err := c.define(ctx, "mirror"); err != nil {
		return err
	}
	s, err := c.wait(ctx, "mirror", nil)
	if err != nil {
		return err
	}
	took := time.Since(started)
	if s.Counts.Fetched != c.assets || s.Counts.Failed != 0 {
		return fmt.Errorf("the status counts %+v", s.Counts)
	}
	if err := c.verify("mirror"); err != nil {
		return err
	}
	a, err := c.asked(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("First run: %d files, %.1f MiB, in %.0f s; %d jobs of %d assets. Each file was compared with its source, each record with its file.\n\n",
		s.Counts.Fetched, float64(s.Counts.Bytes)/(1<<20), took.Seconds(), a.jobs, a.assets)
	return nil
}

// changes has one per cent of the assets changed, and half a per cent come.
func (c *check) changes(ctx context.Context) error {
	before, err := c.asked(ctx)
	if err != nil {
		return err
	}
	var list []map[string]any
	for i := range c.assets / 100 {
		id := fmt.Sprintf("asset_catalogue%07d", i*100)
		c.versions[id]++
		list = append(list, map[string]any{"id": id, "version": c.versions[id], "collectionIds": []string{"collection_heroes"}})
	}
	for i := range c.assets / 200 {
		id := fmt.Sprintf("asset_fresh%07d", i)
		c.versions[id] = 0
		list = append(list, map[string]any{"id": id})
	}
	if err := c.StandIn(ctx, http.MethodPost, "assets", list, nil); err != nil {
		return err
	}
	started := time.Now()
	if _, _, err := c.execute(ctx, `{"name":"mirror"}`); err != nil {
		return err
	}
	took := time.Since(started)
	s, err := c.status(ctx, "mirror")
	if err == nil && s.Counts.Fetched != len(list) {
		err = fmt.Errorf("the status counts %+v, not %d", s.Counts, len(list))
	}
	if err == nil {
		err = c.verify("mirror")
	}
	if err != nil {
		return err
	}
	after, err := c.asked(ctx)
	if err == nil && after.assets-before.assets != len(list) {
		err = fmt.Errorf("archives of %d assets were asked for, not of %d", after.assets-before.assets, len(list))
	}
	if err == nil {
		fmt.Printf("1 %% changed, 0.5 %% new: %d assets fetched and no others, in %d jobs, %.0f s.\n\n", s.Counts.Fetched, after.jobs-before.jobs, took.Seconds())
	}
	return err
}

// quiet is a tick that finds nothing. The one before it still lists what changed last: lists may be late.
func (c *check) quiet(ctx context.Context) error {
	if _, _, err := c.execute(ctx, `{}`); err != nil {
		return err
	}
	before, err := c.asked(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	output, states, err := c.execute(ctx, `{}`)
	if err != nil {
		return err
	}
	took := time.Since(started)
	after, err := c.asked(ctx)
	pages := (c.assets/100 + c.assets/200 + 99) / 100 // what changed within the overlap
	if err == nil && (!strings.Contains(output, `"quiet":1`) || states >= 10 || after.jobs != before.jobs || after.lists-before.lists > pages) {
		err = fmt.Errorf("it says %s, entered %d states, and asked for %d lists", output, states, after.lists-before.lists)
	}
	if err == nil {
		fmt.Printf("A tick that finds nothing: %d states, %d list requests (of the changes of the last ten minutes), %.1f s.\n\n", states, after.lists-before.lists, took.Seconds())
	}
	return err
}

// killed is a first run during which the system is killed several times.
func (c *check) killed(ctx context.Context) error {
	started := time.Now()
	before, err := c.asked(ctx)
	if err != nil {
		return err
	}
	if err := c.define(ctx, "killed"); err != nil {
		return err
	}
	for kill := range c.kills {
		enough := len(c.versions) * (kill + 1) / (c.kills + 2)
		_, err := c.wait(ctx, "killed", func() bool { return c.files("killed/assets") >= enough })
		if err != nil {
			return fmt.Errorf("before kill %d: %w", kill+1, err)
		}
		if err := c.Kill(); err != nil {
			return err
		}
		if err := c.StartUp(ctx); err != nil {
			return err
		}
	}
	if _, err := c.wait(ctx, "killed", nil); err != nil {
		return err
	}
	took := time.Since(started)
	if err := c.verify("killed"); err != nil {
		return err
	}
	after, err := c.asked(ctx)
	if err == nil {
		fmt.Printf("Killed (SIGKILL) %d times in a first run: the same end after %.0f s, restarts included; %d jobs of %d assets for %d assets.\n\n",
			c.kills, took.Seconds(), after.jobs-before.jobs, after.assets-before.assets, len(c.versions))
	}
	return err
}
