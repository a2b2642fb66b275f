package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	documented map[string]bool // names of errors
}

// start brings the system up, with its objects on a small file system of their own where that can be had.
func start(ctx context.Context, o options) (*chaos, error) {
	h, err := harness.New(ctx, harness.Options{Repo: o.repo, Dir: o.dir, StandInFlags: []string{
		"-job-duration", "300ms", "-asset-size", "300KiB", "-state", filepath.Join(o.dir, "scenario"),
	}})
	if err != nil {
		return nil, err
	}
	c := &chaos{Harness: h, options: o, totals: newTotals()}
	if c.documented, err = documentedErrors(o.repo); err != nil {
		return nil, err
	}
	if err := c.disk.mount(filepath.Join(o.dir, "up", "s3")); err != nil {
		c.totals.leftOut = "the full disk (" + err.Error() + ")"
	}
	if err := c.StartStandIn(); err != nil {
		return nil, errors.Join(err, c.disk.unmount())
	}
	if err := c.StartUp(ctx); err != nil {
		c.close()
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
		if err == nil && pid != os.Getpid() && bytes.Contains(line, []byte(c.dir+"/")) {
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
	method, body := http.MethodDelete, []byte(nil)
	if faults != nil {
		method = http.MethodPost
		var err error
		if body, err = json.Marshal(faults); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.StandInURL("/_test/faults"), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the stand-in refuses a fault: %s", resp.Status)
	}
	return nil
}
