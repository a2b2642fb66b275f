package s3

import (
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// child is the server's process with the tail of what it says kept.
type child struct {
	cmd    *exec.Cmd
	output tail
	done   chan struct{} // closed when it has ended
	err    error         // how it ended; read after done
	stdin  io.Closer     // the server ends when it closes; it must be reachable: the collector closes files that are not
}

func startChild(bin string, args, env []string) (*child, error) {
	c := &child{cmd: exec.Command(bin, args...), done: make(chan struct{})}
	c.cmd.Env = env
	c.cmd.Stdout = &c.output
	c.cmd.Stderr = &c.output
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// It is not tied to this process by the kernel: killed, it could not remove what is temporary.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// tail keeps the last bytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > tailBytes {
		t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
