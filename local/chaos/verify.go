package main

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/archive"
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
	file := filepath.Join(c.BucketDir(), "archives", aws.ToString(e.Name)+".zip")
	if e.Status == types.ExecutionStatusSucceeded {
		c.totals.ends["succeeded"]++
		out := archive.Output{}
		if err := json.Unmarshal([]byte(aws.ToString(e.Output)), &out); err != nil {
			return err
		}
		return c.checkArchive(file, r.assets, r.unpack, out)
	}
	return c.checkFailure(file, aws.ToString(e.Error), aws.ToString(e.Cause))
}

func (c *chaos) checkArchive(file string, assets []string, unpack bool, out archive.Output) error {
	if err := checkObject(file, assets, out); err != nil || !unpack {
		return err
	}
	return c.checkUnpacked(file, out.Unpacked)
}

// checkFailure refuses what a person could not read, and an object of an archive that failed.
func (c *chaos) checkFailure(file, name, cause string) error {
	c.totals.ends[name]++
	if err := c.checkNamed(name, cause); err != nil {
		return err
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
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

// nvme is the polynomial of CRC-64/NVME.
var nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

// checkObject reads the whole object: its checksum is the output's, and its files are those that were asked for.
func checkObject(file string, assets []string, out archive.Output) error {
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
	checksum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum.Sum64()))
	if size != out.Size || checksum != out.ChecksumCRC64NVME {
		return fmt.Errorf("the object has %d bytes and the checksum %s, the output says %+v", size, checksum, out)
	}
	names, err := readZIP(file)
	if err != nil {
		return err
	}
	if want := slices.Sorted(slices.Values(assets)); !slices.Equal(names, want) {
		return fmt.Errorf("the object has the files %v, asked were %v", names, want)
	}
	return nil
}

// readZIP reads all files of a ZIP, checksums included, and returns the IDs of their assets, sorted.
func readZIP(file string) ([]string, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var names []string
	for _, entry := range z.File {
		content, err := entry.Open()
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, content); err != nil { // an error also when its CRC-32 is wrong
			return nil, fmt.Errorf("%s: %w", entry.Name, err)
		}
		names = append(names, strings.TrimSuffix(path.Base(entry.Name), path.Ext(entry.Name)))
	}
	slices.Sort(names)
	return names, nil
}

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
	var left []string
	for _, u := range uploads.Uploads {
		left = append(left, aws.ToString(u.Key))
	}
	if len(left) > 0 {
		return fmt.Errorf("uploads are left: %v", left)
	}
	c.totals.schedules++
	return os.RemoveAll(filepath.Join(c.BucketDir(), "archives"))
}

// checkJobs counts the jobs of each archive at the stand-in: its first asset is in no other archive.
func (c *chaos) checkJobs(ctx context.Context, list []*request) error {
	var answer struct{ Jobs []struct{ First string } }
	if err := c.StandIn(ctx, http.MethodGet, "jobs", nil, &answer); err != nil {
		return err
	}
	jobs := map[string]int{}
	for _, j := range answer.Jobs {
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
