package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is one run of one program.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // the sum of its processes' peaks, bytes
}

// measure runs a command and watches it. CPU is the kernel's account of the processes and those they waited for.
func measure(ctx context.Context, cmd *exec.Cmd) (sample, error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	stopKilling := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stopKilling()
	peaks := watch(cmd.Process.Pid)
	err := cmd.Wait()
	wall := time.Since(started)
	rss := peaks()
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, lastLine(output.String()))
	}
	usage := cmd.ProcessState
	return sample{wall: wall, cpu: usage.UserTime() + usage.SystemTime(), rss: rss}, nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

const watchEvery = 10 * time.Millisecond

// watch reads the high-water mark of every process of the group until it is called off. getrusage's maximum would not
// do: it survives exec and so shows the parent's.
func watch(group int) (stop func() int64) {
	end, result := make(chan struct{}), make(chan int64)
	go func() {
		peaks := map[int]int64{}
		for {
			for _, pid := range members(group) {
				peaks[pid] = max(peaks[pid], highWater(pid))
			}
			select {
			case <-end:
				var sum int64
				for _, p := range peaks {
					sum += p
				}
				result <- sum
				return
			case <-time.After(watchEvery):
			}
		}
	}()
	return func() int64 { close(end); return <-result }
}

func members(group int) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range dirs {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // state, parent, group, …
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func highWater(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10
}

// summary is the median of several samples, with the spread of the wall times.
type summary struct {
	wall, least, most, cpu time.Duration
	rss                    int64
}

func summarize(samples []sample) summary {
	by := func(f func(sample) int64) []int64 {
		v := make([]int64, len(samples))
		for i, s := range samples {
			v[i] = f(s)
		}
		slices.Sort(v)
		return v
	}
	wall := by(func(s sample) int64 { return int64(s.wall) })
	cpu := by(func(s sample) int64 { return int64(s.cpu) })
	rss := by(func(s sample) int64 { return s.rss })
	median := func(v []int64) int64 { return (v[(len(v)-1)/2] + v[len(v)/2]) / 2 }
	return summary{
		wall: time.Duration(median(wall)), least: time.Duration(wall[0]), most: time.Duration(wall[len(wall)-1]),
		cpu: time.Duration(median(cpu)), rss: median(rss),
	}
}

// reportedPages is how much free memory this virtual machine has given back to its host so far, in bytes ("free page
// reporting"); 0 where the kernel does not say. A program that then takes memory waits for the host, which can double
// its time, and it is chance whom that hits.
func reportedPages() int64 {
	text, err := os.ReadFile("/sys/module/page_reporting/parameters/reported_kib")
	if err != nil {
		return 0
	}
	kib, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return kib << 10
}
