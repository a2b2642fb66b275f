package s3

import "syscall"

// dieWithParent makes the kernel kill the child when this process dies, even by SIGKILL; the process group of its own
// keeps a terminal's Ctrl-C from reaching the child before this process stops it in order.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
