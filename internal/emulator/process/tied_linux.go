package process

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// The parent-death signal is sent when the *thread* that forked the child ends, not the process (prctl(2)), and Go
// ends threads as it pleases. So every child is forked by one thread that lives as long as the process.
var onForkThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startTied(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	done := make(chan error, 1)
	onForkThread() <- func() { done <- cmd.Start() }
	return <-done
}
