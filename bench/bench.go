package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// condition is what the source is like.
type condition struct {
	name, title string
	source      source
	slow        bool // takes others long
	sink        bool // the storage is the sink
	md5         bool // the storage makes ETags of MD5 sums
}

var conditions = []condition{
	{name: "unlimited", title: "Unlimited source"},
	{name: "md5", title: "Unlimited source, and a storage that computes MD5 sums for its ETags, too", md5: true},
	{name: "limited", title: "25 MiB/s for each connection", source: source{rate: 25 << 20}, slow: true},
	{name: "rtt", title: "50 ms round trip to the source", source: source{delay: 50 * time.Millisecond}},
	{name: "cut", title: "1 % of answers cut", source: source{cut: 0.01}},
	{name: "sink", title: "Without the storage's work: one that discards parts", sink: true},
}

// setup is what stays up for all measurements.
type setup struct {
	config
	dir, archive string
	function     string // the transfer function's binary
	s3           storage
	programs     []program
	missing      []string // what could not be run, and why
}

// wants says whether a part is to be measured.
func (c config) wants(name string) bool { return c.only == "" || c.only == name }

func bench(ctx context.Context, c config) error {
	s := &setup{config: c}
	var err error
	if s.dir, err = os.MkdirTemp(c.temp, "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	r := &report{setup: s}
	for _, part := range []struct {
		wanted  bool
		name    string
		measure func(context.Context, *report) error
	}{
		{c.wants("cold"), "cold starts", s.measureCold},
		{c.only != "cold" && !strings.HasPrefix(c.only, "unpack"), "transfers", s.measureTransfers},
		{c.wants("unpack"), "unpacking", s.measureUnpacking},
		{c.wants("unpack-memory"), "unpacking's memory", s.measureUnpackMemory},
	} {
		if part.wanted {
			if err := part.measure(ctx, r); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	if err := r.write(c.out); err != nil {
		return err
	}
	if (c.only == "cold" || c.oursAlone) && len(r.failures) > 0 {
		return errors.New("a function failed")
	}
	return nil
}

func (s *setup) measureTransfers(ctx context.Context, r *report) (err error) {
	c := s.config
	s.archive = filepath.Join(s.dir, "archive.zip")
	if err := makeZIP(s.archive, ofSize(c.size), false); err != nil {
		return err
	}
	if s.function, err = s.buildFunction(ctx, "transfer"); err != nil {
		return err
	}
	var stop func()
	if s.s3, stop, err = s.storageAt(ctx, "s3", false); err != nil {
		return err
	}
	defer stop()
	reportedBefore := reportedPages()
	if c.only != "sink" && c.only != "memory" {
		s.findPrograms(ctx)
	}
	for _, cond := range conditions {
		if c.wants(cond.name) {
			if err := s.measureCondition(ctx, cond, r); err != nil {
				return fmt.Errorf("%s: %w", cond.name, err)
			}
		}
	}
	if c.bigSize > 0 && c.wants("memory") {
		if err := s.measureMemory(ctx, r); err != nil {
			return fmt.Errorf("memory: %w", err)
		}
	}
	r.reported = reportedPages() - reportedBefore
	return nil
}

// storageAt runs the project's own local S3 server on a directory of its own.
func (s *setup) storageAt(ctx context.Context, dir string, md5 bool) (at storage, stop func(), err error) {
	server, err := emulator.Start(ctx, emulator.Config{Dir: filepath.Join(s.dir, dir), TLSDir: filepath.Join(s.dir, dir+"-tls"),
		Bucket: "bench", MD5ETags: md5, Log: os.Stderr})
	if err != nil {
		return at, nil, err
	}
	return storage{server.Access, "bench"}, server.Stop, nil
}

func (s *setup) measureCondition(ctx context.Context, c condition, r *report) error {
	url, stopSource, err := c.source.serve(s.archive)
	if err != nil {
		return err
	}
	defer stopSource()
	target, programs, runs := s.s3, s.programs, s.runs
	if c.slow {
		runs = s.slowRuns
	}
	if c.sink || c.md5 {
		programs = s.goPrograms()
		var stopTarget func()
		if c.sink {
			target, stopTarget, err = s.startSink(s.archive, false)
		} else {
			target, stopTarget, err = s.storageAt(ctx, "md5", true)
		}
		if err != nil {
			return err
		}
		defer stopTarget()
	}
	return s.inTurns(ctx, r, c.name, c.title, runs, programs, func(p program) (sample, error) {
		return s.runOnce(ctx, p, url, target, s.archive)
	})
}

// inTurns runs each program several times and reports the samples. What disturbs the machine disturbs all; and who comes
// first does not stay the same, because one run warms memory for the next.
func (s *setup) inTurns(ctx context.Context, r *report, name, title string, runs int, programs []program, once func(program) (sample, error)) error {
	samples := map[string][]sample{}
	for n := range runs {
		for i := range programs {
			p := programs[(i+n)%len(programs)]
			one, err := once(p)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				r.failures = append(r.failures, fmt.Sprintf("%s, %s: %v", title, p.name, err))
				continue
			}
			fmt.Fprintf(os.Stderr, "%-10s %-24s %6.2f s %6.2f CPU-s %4d MiB\n", name, p.name, one.wall.Seconds(), one.cpu.Seconds(), one.rss>>20)
			samples[p.name] = append(samples[p.name], one)
		}
	}
	r.add(title, programs, samples)
	return nil
}

// runOnce moves the archive of a file with one program and removes the object again.
func (s *setup) runOnce(ctx context.Context, p program, url string, target storage, path string) (sample, error) {
	archive, err := os.Stat(path)
	if err != nil {
		return sample{}, err
	}
	one, err := p.run(ctx, url, target)
	if err != nil {
		return one, err
	}
	client, err := target.client()
	if err != nil {
		return one, err
	}
	key := objectKey
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &target.Bucket, Key: &key})
	if err != nil {
		return one, err
	}
	_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &target.Bucket, Key: &key})
	if *head.ContentLength != archive.Size() {
		err = errors.New("the object has another size than the archive")
	}
	return one, err
}

// measureMemory moves archives of 1 and 4 GiB and of the big size into the sink, with 16 and 64 ranges in flight.
func (s *setup) measureMemory(ctx context.Context, r *report) error {
	for _, size := range []int64{1 << 30, 4 << 30, s.bigSize} {
		path := filepath.Join(s.dir, "hole.zip")
		if err := makeZIP(path, ofSize(size), true); err != nil {
			return err
		}
		if err := s.measureMemoryOf(ctx, r, path, size); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) measureMemoryOf(ctx context.Context, r *report, path string, size int64) error {
	url, stopSource, err := source{rate: 25 << 20}.serve(path)
	if err != nil {
		return err
	}
	defer stopSource()
	target, stopSink, err := s.startSink(path, false)
	if err != nil {
		return err
	}
	defer stopSink()
	for _, inFlight := range []int{16, 64} {
		one, err := s.runOnce(ctx, s.ours(inFlight), url, target, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "memory     %d GiB, %d in flight   %6.2f s %6.2f CPU-s %4d MiB\n", size>>30, inFlight, one.wall.Seconds(), one.cpu.Seconds(), one.rss>>20)
		r.memory = append(r.memory, memoryRow{size, inFlight, one})
	}
	return nil
}
