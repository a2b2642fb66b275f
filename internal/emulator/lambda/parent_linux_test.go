package lambda_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A killed parent cannot stop its children: the kernel must.
func TestProcessesDieWithAKilledParent(t *testing.T) {
	t.Parallel()
	m := newMeeting(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), role+"=parent", "TMPDIR="+t.TempDir(), "TEST_EVENT="+string(payload(event{Op: "wait", Address: m.address()})))
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	conn := <-m.arrived
	defer conn.Close()
	children := childrenOf(t, parent.Process.Pid)
	if len(children) != 1 {
		t.Fatalf("children %v, want one", children)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	awaitGone(children[0])
}

func childrenOf(t *testing.T, parent int) (children []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(parent) + "/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		list, err := os.ReadFile("/proc/" + strconv.Itoa(parent) + "/task/" + task.Name() + "/children")
		if err != nil {
			t.Skip("this kernel does not list children")
		}
		for _, field := range strings.Fields(string(list)) {
			pid, _ := strconv.Atoi(field)
			children = append(children, pid)
		}
	}
	return children
}
