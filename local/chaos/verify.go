package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/local/harness"
)

func archiveInput(assets []string, unpack bool) string {
	input, _ := json.Marshal(map[string]any{ // strings cannot fail
		"query":   map[string]any{"assetIds": assets},
		"unpack":  unpack,
		"options": map[string]any{"flat": true, "fileNameTemplate": "<assetId>"},
	})
	return string(input)
}

// check holds an execution's end against what is in the bucket.
func (c *chaos) check(r *request, e *sfn.DescribeExecutionOutput) error {
	if r.isBatch() {
		return c.checkBatch(r, e)
	}
	key := "archives/" + aws.ToString(e.Name) + ".zip"
	if e.Status == types.ExecutionStatusSucceeded {
		c.totals.ends["succeeded"]++
		out := archive.Output{}
		if err := json.Unmarshal([]byte(aws.ToString(e.Output)), &out); err != nil {
			return err
		}
		if out.Key != key {
			return fmt.Errorf("the output has the key %s, not %s", out.Key, key)
		}
		return c.checkArchive(r.assets, r.unpack, out)
	}
	return c.checkFailure(key, aws.ToString(e.Error), aws.ToString(e.Cause))
}

// checkArchive reads the whole object: its checksum is the output's, and its files are those that were asked for. It was
// unpacked if that was asked for.
func (c *chaos) checkArchive(assets []string, unpack bool, out archive.Output) error {
	file := c.File(out.Key)
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("it succeeded: %w", err)
	}
	defer f.Close()
	sum := crc64.New(nvme)
	size, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if text := checksum.Text(sum.Sum64()); size != out.Size || text != out.ChecksumCRC64NVME {
		return fmt.Errorf("the object has %d bytes and the checksum %s, the output says %+v", size, text, out)
	}
	names, err := harness.ReadZIP(file)
	if err != nil {
		return err
	}
	if want := slices.Sorted(slices.Values(assets)); !slices.Equal(names, want) {
		return fmt.Errorf("the object has the files %v, asked were %v", names, want)
	}
	if !unpack {
		return nil
	}
	return c.CheckUnpacked(out.Key, out.Unpacked, nil)
}

// checkFailure refuses what a person could not read, and an object of an archive that failed.
func (c *chaos) checkFailure(key, name, cause string) error {
	c.totals.ends[name]++
	if err := c.checkNamed(name, cause); err != nil {
		return err
	}
	if _, err := os.Stat(c.File(key)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it ended with %s, and its object is there (%v)", name, err)
	}
	return nil
}

func (c *chaos) checkNamed(name, cause string) error {
	if !c.documented[name] {
		return fmt.Errorf("it ended with %q, which docs/errors.md does not have: %s", name, cause)
	}
	if cause == "" {
		return fmt.Errorf("%s has no cause", name)
	}
	return nil
}

var errorRow = regexp.MustCompile("(?m)^\\| (`.*?) \\|")

// documentedErrors are the names that docs/errors.md has rows for. Those of faults of this project's own are none of
// the ends that a person may meet here.
func documentedErrors(repo string) (map[string]bool, error) {
	text, err := os.ReadFile(filepath.Join(repo, "docs", "errors.md"))
	names := map[string]bool{}
	for _, row := range errorRow.FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			names[strings.Trim(name, "`")] = true
		}
	}
	for _, own := range []string{"Internal", "Misconfigured"} {
		delete(names, own)
	}
	return names, err
}

var nvme = crc64.MakeTable(checksum.NVME)

// checkLeftovers finds jobs that were launched twice, and uploads that nobody ended.
func (c *chaos) checkLeftovers(ctx context.Context, list []*request) error {
	if err := c.checkJobs(ctx, list); err != nil {
		return err
	}
	bucket := c.Env["BUCKET"]
	uploads, err := c.S3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		return err
	}
	if left := uploads.Uploads; len(left) > 0 {
		return fmt.Errorf("%d uploads are left, one of %s", len(left), *left[0].Key)
	}
	c.totals.schedules++
	return os.RemoveAll(c.File("archives"))
}

// checkJobs counts the jobs of each archive at the stand-in: its first asset is in no other archive.
func (c *chaos) checkJobs(ctx context.Context, list []*request) error {
	launched, err := c.Jobs(ctx)
	if err != nil {
		return err
	}
	jobs := map[string]int{}
	for _, j := range launched {
		jobs[j.First]++
	}
	for _, r := range list {
		for i, assets := range r.archives() {
			c.totals.archives++
			c.totals.jobs += jobs[assets[0]]
			if n := jobs[assets[0]]; n > 1 {
				return fmt.Errorf("%d jobs were launched for archive %d of %s", n, i+1, r.name)
			}
		}
	}
	return nil
}
