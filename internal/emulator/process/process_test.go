package process_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// start runs a shell script and returns what it says first.
func start(t *testing.T, script string) (cmd *exec.Cmd, first string, exited chan struct{}) {
	t.Helper()
	cmd = exec.Command("/bin/sh", "-c", script)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(cmd); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	exited = make(chan struct{})
	go func() { defer close(exited); _ = cmd.Wait() }()
	t.Cleanup(func() { process.Kill(cmd); <-exited })
	return cmd, strings.TrimSpace(line), exited
}

// awaitGone returns when a process that is nobody's child here has ended.
func awaitGone(t *testing.T, pid string) {
	t.Helper()
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if syscall.Kill(number, 0) != nil || err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	cmd, _, exited := start(t, `trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done`)
	process.Stop(cmd, exited, time.Hour)
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("it ended with %d, want its own 7", code)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	cmd, _, exited := start(t, `trap '' TERM; echo ready; while :; do sleep 0.01; done`)
	process.Stop(cmd, exited, 10*time.Millisecond)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

func TestGrandchildrenEndToo(t *testing.T) {
	t.Parallel()
	cmd, grandchild, exited := start(t, `sleep 1000 >/dev/null & echo $!; wait`)
	process.Kill(cmd)
	<-exited
	awaitGone(t, grandchild)
}

func TestOwnProcessGroup(t *testing.T) {
	t.Parallel()
	cmd, _, _ := start(t, `echo ready; sleep 1000`)
	if group, err := syscall.Getpgid(cmd.Process.Pid); err != nil || group != cmd.Process.Pid {
		t.Errorf("group %d of process %d: %v", group, cmd.Process.Pid, err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/does/not/exist")
	if err := process.Start(cmd); err == nil {
		t.Error("no error")
	}
	process.Kill(cmd) // does nothing to nobody
}
