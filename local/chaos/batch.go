package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

func listKey(r *request) string { return "lists/" + r.name + ".txt" }

func batchInput(r *request) string {
	input, _ := json.Marshal(map[string]any{ // strings cannot fail
		"list": map[string]any{"key": listKey(r)}, "batchSize": batchSize, "maxConcurrency": 5, "toleratedFailurePercentage": 100,
		"request": map[string]any{
			"options":     map[string]any{"flat": true, "fileNameTemplate": "<assetId>"},
			"destination": map[string]any{"prefix": "archives/" + r.name},
			"unpack":      r.unpack,
		},
	})
	return string(input)
}

// checkBatch holds a batch against its plan. Its manifest has each archive that was planned: exact, or failed with a name
// and without an object. A batch that ended before it wrote one has a name itself, and what is there is whole.
func (c *chaos) checkBatch(r *request, e *sfn.DescribeExecutionOutput) error {
	c.totals.batches++
	if e.Status != types.ExecutionStatusSucceeded {
		name := aws.ToString(e.Error)
		c.totals.ends["batch: "+name]++
		if err := c.checkNamed(name, aws.ToString(e.Cause)); err != nil {
			return err
		}
	}
	m, err := c.Manifest("archives/" + r.name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.Status != types.ExecutionStatusSucceeded:
		return c.checkStray(r)
	case err != nil:
		return err
	}
	left := r.archives()
	planned := func(key string, assets []string) error {
		i := slices.IndexFunc(left, func(one []string) bool { return slices.Equal(one, assets) })
		if i < 0 {
			return fmt.Errorf("%s has %v, which is no archive of the plan, or is there twice", key, assets)
		}
		left = slices.Delete(left, i, i+1)
		return nil
	}
	for _, a := range m.Archives {
		c.totals.ends["in a batch: succeeded"]++
		if err := planned(a.Key, a.AssetIDs); err != nil {
			return err
		}
		if err := c.checkArchive(a.AssetIDs, r.unpack, a.Output); err != nil {
			return fmt.Errorf("%s: %w", a.Key, err)
		}
	}
	for _, f := range m.Failed {
		if err := planned(f.Key, f.AssetIDs); err != nil {
			return err
		}
		if err := c.checkFailure(f.Key, f.Error, f.Cause); err != nil {
			return fmt.Errorf("%s: %w", f.Key, err)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("the manifest lacks the archives of %v", left)
	}
	return nil
}

// checkStray checks the archives of a batch that has no manifest: each has the files of one planned archive.
func (c *chaos) checkStray(r *request) error {
	c.totals.ends["batch: without a manifest"]++
	files, err := filepath.Glob(c.File("archives/" + r.name + "/*.zip"))
	if err != nil {
		return err
	}
	left := r.archives()
	for _, file := range files {
		names, err := harness.ReadZIP(file)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(left, func(one []string) bool { return slices.Equal(slices.Sorted(slices.Values(one)), names) })
		if i < 0 {
			return fmt.Errorf("%s has the files %s, which no planned archive has, or another one has, too", file, strings.Join(names, ", "))
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}
