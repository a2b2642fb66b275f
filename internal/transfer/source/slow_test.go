package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// slowSource answers each request with an endless body, a piece of it every pause, over connections that a fake clock knows.
func slowSource(t *testing.T, head string, piece int, pause time.Duration) (*Source, *failure.Budget) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	b := failure.NewBudget(failure.BaseBackoff, nil)
	c := NewClient(Options{AllowLoopback: true, UserAgent: "test", MaxConnections: 4, StallTimeout: 20 * time.Second, MinRate: 4 << 10})
	t.Cleanup(c.Close)
	c.http.DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := http.ReadRequest(bufio.NewReader(there)); err != nil {
				return
			}
			if _, err := io.WriteString(there, head); err != nil {
				return
			}
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(pause):
				}
				if _, err := there.Write([]byte(strings.Repeat("P", piece))); err != nil {
					return
				}
			}
		}()
		return here, nil
	}
	s, err := c.Open("http://127.0.0.1/a.zip", b)
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

// A source that drips, stalls or never answers ends a transfer within two minutes, and the error says how slow it was.
func TestSlowSourcesAreBoundedAsAWhole(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
	for name, c := range map[string]struct {
		head  string
		piece int
		pause time.Duration
		says  string
	}{
		"a byte a second":             {ok, 1, time.Second, "sends 1 bytes a second; 4096 are the least"},
		"a KiB a second":              {ok, 1 << 10, time.Second, "sends 1024 bytes a second; 4096 are the least"},
		"a beginning, and then none":  {ok + strings.Repeat("P", 100), 1, time.Hour, "sent no byte for 20s"},
		"a connection without answer": {"", 1, time.Hour, "sent no byte for 20s"},
		"a drip of a header":          {"HTTP/1.1 200 OK\r\nX: ", 1, time.Second, "sent no byte for 20s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, b := slowSource(t, c.head, c.piece, c.pause)
				began := time.Now()
				err := readWholly(t.Context(), s, b)
				if took := time.Since(began); took > 2*time.Minute {
					t.Errorf("it took %v", took)
				}
				var e *failure.Error
				if !errors.As(err, &e) || e.Kind != failure.SourceUnavailable || !strings.Contains(e.Error(), c.says) {
					t.Errorf("error %v; want one that says %q", err, c.says)
				}
			})
		})
	}
}

// readWholly reads the archive as a transfer does: again after each break, within the budget.
func readWholly(ctx context.Context, s *Source, b *failure.Budget) error {
	for attempt := 0; ; attempt++ {
		a, err := s.BeginWhole(ctx)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, a)
		a.Close()
		if err == nil {
			return fmt.Errorf("the end of what has no end")
		}
		if err := b.Wait(ctx, failure.As(op, failure.SourceUnavailable, err), attempt); err != nil {
			return err
		}
	}
}

// A line that is slow but brings what is asked of it is no drip.
func TestSlowLineIsReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := slowSource(t, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", 5000, time.Second)
		a, err := s.Whole(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if n, err := io.Copy(io.Discard, a); err != nil || n != 1_000_000 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
