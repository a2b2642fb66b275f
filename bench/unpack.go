package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// unpackRow is an archive that is unpacked.
type unpackRow struct {
	title    string
	entries  int
	size     int64 // of each entry, bytes
	deflated bool
}

// ofSize is an archive of one entry, and of so many bytes with its directory, or a few less.
func ofSize(bytes int64) unpackRow { return unpackRow{entries: 1, size: bytes - 1<<10} }

// unpackRows are smaller by a whole number, for a look whether all is well.
func unpackRows(scale int) []unpackRow {
	rows := []unpackRow{
		{title: "1000 entries of 1 MiB, stored", entries: 1000, size: 1 << 20},
		{title: "1000 entries of 1 MiB, deflated to half", entries: 1000, size: 1 << 20, deflated: true},
		{title: "20,000 entries of 10 KiB, stored", entries: 20_000, size: 10 << 10},
		{title: "One entry of 4 GiB, stored", entries: 1, size: 4 << 30},
	}
	for i := range rows {
		if rows[i].entries == 1 {
			rows[i].size /= int64(scale)
		} else {
			rows[i].entries = max(1, rows[i].entries/scale)
		}
	}
	return rows
}

// measureUnpacking unpacks archives that are in S3, in turns.
func (s *setup) measureUnpacking(ctx context.Context, r *report) error {
	at, stop, err := s.storageAt(ctx, "unpack-s3", false)
	if err != nil {
		return err
	}
	defer stop()
	programs, err := s.unpackPrograms(ctx)
	if err != nil {
		return err
	}
	for _, row := range unpackRows(s.scale) {
		if err := s.measureUnpackingOf(ctx, r, row, at, programs); err != nil {
			return fmt.Errorf("%s: %w", row.title, err)
		}
	}
	return nil
}

func (s *setup) measureUnpackingOf(ctx context.Context, r *report, row unpackRow, at storage, programs []program) error {
	if err := s.putZIP(ctx, row, at); err != nil {
		return err
	}
	title := "Unpacking in S3: " + row.title
	if s.scale > 1 {
		title += fmt.Sprintf(" (smaller by %d)", s.scale)
	}
	return s.inTurns(ctx, r, "unpack", title, s.slowRuns, programs, func(p program) (sample, error) {
		one, err := p.run(ctx, "", at)
		if err == nil {
			err = at.wantUnpacked(ctx, row)
		}
		return one, errors.Join(err, at.removeUnpacked(ctx))
	})
}

// unpackedPrefix is where every program puts the files.
const unpackedPrefix = "unpacked/"

func (s *setup) unpackPrograms(ctx context.Context) ([]program, error) {
	binary, err := s.buildFunction(ctx, "unpack")
	if err != nil {
		return nil, err
	}
	all := []program{{"ours", func(ctx context.Context, _ string, at storage) (sample, error) {
		return at.unpackByOurs(ctx, binary)
	}}}
	if s.oursAlone {
		return all, nil
	}
	if path, err := s.buildRclone(ctx); err != nil {
		s.missing = append(s.missing, "rclone archive extract: it could not be built: "+lastLine(err.Error()))
	} else {
		all = append(all, command("rclone archive extract", func(_ string, at storage) *exec.Cmd {
			return rclone(path, at, "archive", "extract", "bench:"+at.Bucket+"/"+objectKey, "bench:"+at.Bucket+"/"+unpackedPrefix)
		}))
	}
	if exec.CommandContext(ctx, "python3", "-c", "import boto3").Run() != nil {
		s.missing = append(s.missing, "boto3 and zipfile: python3 has no boto3")
		return all, nil
	}
	return append(all, command("boto3 and zipfile", s.unpackByPython)), nil
}

// unpackByOurs is the unpack function's own process, from its start to its answer.
func (s storage) unpackByOurs(ctx context.Context, binary string) (sample, error) {
	etag, err := s.etag(ctx)
	if err != nil {
		return sample{}, err
	}
	event := map[string]any{
		"job":     map[string]any{"jobId": "job_bench"},
		"archive": map[string]any{"bucket": s.Bucket, "key": objectKey, "etag": etag},
		"destination": map[string]any{"bucket": s.Bucket, "key": objectKey,
			"unpack": map[string]any{"prefix": unpackedPrefix, "keepArchive": true, "exclusive": true}},
		"execution": map[string]any{"id": "arn:aws:states:us-east-1:000000000000:execution:archive:bench", "name": "bench"},
	}
	return s.call(ctx, binary, event)
}

//go:embed unpack.py
var unpackScript string

func (s *setup) unpackByPython(_ string, at storage) *exec.Cmd {
	cmd := exec.Command("python3", "-c", unpackScript, at.Bucket, objectKey, unpackedPrefix)
	cmd.Env = append(append(os.Environ(), at.environment()...), "TMPDIR="+s.dir)
	return cmd
}

// putZIP makes the row's archive and puts it into S3.
func (s *setup) putZIP(ctx context.Context, row unpackRow, at storage) error {
	path := filepath.Join(s.dir, "unpack.zip")
	defer os.Remove(path)
	if err := makeZIP(path, row, false); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	client, err := at.client()
	if err != nil {
		return err
	}
	_, err = transfermanager.New(client).UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &at.Bucket, Key: aws.String(objectKey), Body: f,
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c, // a copied part's CRC-32 must not be taken from the archive's
	})
	return err
}

func (s storage) etag(ctx context.Context) (string, error) {
	client, err := s.client()
	if err != nil {
		return "", err
	}
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.Bucket, Key: aws.String(objectKey)})
	if err != nil {
		return "", err
	}
	return aws.ToString(head.ETag), nil
}

// wantUnpacked checks that there is an object of the right size for each entry. contents.jsonl is ours.
func (s storage) wantUnpacked(ctx context.Context, row unpackRow) error {
	objects, wrong := 0, 0
	err := s.eachUnpacked(ctx, func(_ *s3.Client, page *s3.ListObjectsV2Output) error {
		for _, o := range page.Contents {
			switch {
			case strings.HasSuffix(*o.Key, "/contents.jsonl"):
			case *o.Size != row.size:
				wrong++
			default:
				objects++
			}
		}
		return nil
	})
	if err == nil && (objects != row.entries || wrong > 0) {
		err = fmt.Errorf("it made %d objects of %d, and %d of another size", objects, row.entries, wrong)
	}
	return err
}

func (s storage) removeUnpacked(ctx context.Context) error {
	return s.eachUnpacked(ctx, func(client *s3.Client, page *s3.ListObjectsV2Output) error {
		for _, o := range page.Contents {
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: o.Key}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s storage) eachUnpacked(ctx context.Context, do func(*s3.Client, *s3.ListObjectsV2Output) error) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: aws.String(unpackedPrefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err == nil {
			err = do(client, page)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpackMemoryRows are to need the same memory, all of them. Those of one size share it among their entries.
func unpackMemoryRows(scale int) []unpackRow {
	rows := []unpackRow{
		{title: "1 GiB, 10 entries", entries: 10, size: 1 << 30 / 10},
		{title: "1 GiB, 200,000 entries", entries: 200_000, size: 1 << 30 / 200_000},
		{title: "20 GiB, 10 entries", entries: 10, size: 20 << 30 / 10},
		{title: "20 GiB, 200,000 entries", entries: 200_000, size: 20 << 30 / 200_000},
		{title: "20 GiB, one entry", entries: 1, size: 20 << 30},
		{title: "20 GiB, one entry, deflated", entries: 1, size: 20 << 30, deflated: true},
	}
	for i := range rows {
		if rows[i].entries > 10 {
			rows[i].entries /= scale
		} else {
			rows[i].size /= int64(scale)
		}
	}
	return rows
}

// measureUnpackMemory unpacks into the sink: neither the disk's room nor its speed count. The entries are zeros: what is stored is a file of holes.
func (s *setup) measureUnpackMemory(ctx context.Context, r *report) error {
	binary, err := s.buildFunction(ctx, "unpack")
	if err != nil {
		return err
	}
	r.sections.WriteString("\n## Memory: unpacking, into the storage that discards objects\n\n| archive | peak RSS | wall | CPU | content a second |\n|---|---|---|---|---|\n")
	for _, row := range unpackMemoryRows(s.scale) {
		one, err := s.measureUnpackMemoryOf(ctx, row, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", row.title, err)
		}
		rate := float64(int64(row.entries)*row.size) / (1 << 20) / one.wall.Seconds()
		fmt.Fprintf(os.Stderr, "unpack-memory %-36s %6.2f s %6.2f CPU-s %4d MiB %4.0f MiB/s\n", row.title, one.wall.Seconds(), one.cpu.Seconds(), one.rss>>20, rate)
		fmt.Fprintf(&r.sections, "| %s | %d MiB | %.1f s | %.1f s | %.0f MiB |\n", row.title, one.rss>>20, one.wall.Seconds(), one.cpu.Seconds(), rate)
	}
	return nil
}

func (s *setup) measureUnpackMemoryOf(ctx context.Context, row unpackRow, binary string) (sample, error) {
	path := filepath.Join(s.dir, "hollow.zip")
	defer os.Remove(path)
	if err := makeZIP(path, row, true); err != nil {
		return sample{}, err
	}
	target, stop, err := s.startSink(path, true)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	return target.unpackByOurs(ctx, binary)
}
