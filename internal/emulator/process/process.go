// Package process starts child processes that do not outlive this one, whatever ends it.
package process

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// Start starts cmd as cmd.Start does, in a process group of its own, so that a Ctrl-C in the terminal reaches only
// this process, which then stops its children in order. On Linux the child is killed by the kernel when this process
// dies, even by SIGKILL; on other systems the children end only when this process stops them.
func Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	return startTied(cmd)
}

// Kill ends the process that cmd started, and all of its group, at once. It does not wait.
func Kill(cmd *exec.Cmd) {
	signal(cmd, syscall.SIGKILL)
}

// Stop asks the process to end with SIGTERM and kills it when it has not ended after the grace period. It returns
// once the process is gone. exited must be closed by the code that waits for the process.
func Stop(cmd *exec.Cmd, exited <-chan struct{}, grace time.Duration) {
	signal(cmd, syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-exited:
	case <-timer.C:
	}
	Kill(cmd) // also what the process itself has started and left behind
	<-exited
}

// signal reaches the whole group, because a child may have children. A group that is gone already is no error.
func signal(cmd *exec.Cmd, s syscall.Signal) {
	if cmd.Process == nil {
		return
	}
	if err := syscall.Kill(-cmd.Process.Pid, s); errors.Is(err, syscall.EPERM) {
		_ = cmd.Process.Signal(s)
	}
}
