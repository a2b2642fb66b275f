package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

var (
	errStalled = errors.New("no bytes for too long")
	// errBroken stands for io.ErrUnexpectedEOF, which readers of whole blocks also return for a clean end.
	errBroken = errors.New("the answer broke off")
)

// slowness says what is too slow. Only time spent waiting for the source counts, not time in which S3 takes the bytes.
type slowness struct {
	stall   time.Duration // without a byte
	window  time.Duration // over which the rate is taken
	minRate int64         // bytes per second
}

// connection is one open answer of the source. Its Read returns io.EOF for a clean end alone. Closing it ends its request.
type connection struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limits slowness

	waited time.Duration // in this window
	got    int64
}

// newConnection starts with its stall timer running: the time until the answer's header counts too.
func newConnection(ctx context.Context, cancel context.CancelCauseFunc, limits slowness) *connection {
	timer := time.AfterFunc(limits.stall, func() { cancel(errStalled) })
	return &connection{ctx: ctx, cancel: cancel, timer: timer, limits: limits}
}

func (c *connection) Read(p []byte) (int, error) {
	started := time.Now()
	c.timer.Reset(c.limits.stall)
	n, err := c.body.Read(p)
	c.timer.Stop()
	c.waited += time.Since(started)
	c.got += int64(n)
	if c.waited >= c.limits.window {
		if rate := float64(c.got) / c.waited.Seconds(); rate < float64(c.limits.minRate) && err == nil {
			err = c.slow(fmt.Sprintf("the archive's host sends %.0f bytes a second; %d are the least", rate, c.limits.minRate))
		}
		c.waited, c.got = 0, 0
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errBroken
	case err != nil && err != io.EOF:
		err = c.cause(err)
	}
	return n, err
}

func (c *connection) Close() error {
	c.cancel(context.Canceled)
	c.timer.Stop()
	return c.body.Close()
}

// cause distinguishes a stall from the other ends of a connection.
func (c *connection) cause(err error) error {
	if errors.Is(context.Cause(c.ctx), errStalled) {
		return c.slow(fmt.Sprintf("the archive's host sent no byte for %v", c.limits.stall))
	}
	return err
}

func (c *connection) slow(reason string) error {
	return &failure.Error{Op: op, Kind: failure.SourceUnavailable, Reason: reason, Temporary: true, Slow: true}
}
