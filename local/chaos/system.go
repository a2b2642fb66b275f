package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// chaos is the system under attack.
type chaos struct {
	*harness.Harness
	options
	disk       disk
	totals     *totals
	posted     []*request      // by killOfAPI, in this schedule
	documented map[string]bool // names of errors
}

// start brings the system up, with its objects on a small file system of their own where that can be had.
func start(ctx context.Context, place harness.Options, o options) (*chaos, error) {
	place.StandInFlags = []string{"-job-duration", "300ms", "-asset-size", "300KiB", "-state", filepath.Join(place.Dir, "scenario")}
	c := &chaos{options: o, totals: newTotals()}
	err := c.disk.mount(filepath.Join(place.Dir, "up", "s3"))
	if err != nil {
		c.totals.leftOut = "the full disk (" + err.Error() + ")"
	}
	if c.documented, err = documentedErrors(place.Repo); err == nil {
		c.Harness, err = harness.New(ctx, place)
	}
	if err != nil {
		_ = c.disk.unmount()
		return nil, err
	}
	return c, nil
}

func (c *chaos) close() {
	c.Stop()
	_ = c.disk.unmount()
}

// restart starts the system again if it has ended: the death of the S3 server ends it as well.
func (c *chaos) restart(ctx context.Context) error {
	select {
	case <-c.Stopped():
		return c.StartUp(ctx)
	default:
		return nil
	}
}

// processes are those that belong to the system, by their programs' names: its directory is in their command lines.
func (c *chaos) processes() map[int]string {
	found := map[int]string{}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		line, err := os.ReadFile(file)
		if err == nil && pid != os.Getpid() && bytes.Contains(line, []byte(c.Dir+"/")) {
			program, _, _ := bytes.Cut(line, []byte{0})
			found[pid] = filepath.Base(string(program))
		}
	}
	return found
}

// kill sends SIGKILL to one process of a program; it says whether there was one.
func (c *chaos) kill(program string) bool {
	for pid, name := range c.processes() {
		if name == program && syscall.Kill(pid, syscall.SIGKILL) == nil {
			return true
		}
	}
	return false
}

// fault makes the stand-in misbehave; nil ends that.
func (c *chaos) fault(ctx context.Context, faults any) error {
	if faults == nil {
		return c.StandIn(ctx, http.MethodDelete, "faults", nil, nil)
	}
	return c.StandIn(ctx, http.MethodPost, "faults", faults, nil)
}
