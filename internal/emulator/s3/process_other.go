//go:build !linux

package s3

import "syscall"

// dieWithParent has no equivalent here: Stop, and the end of `local s3` when its standard input closes, must do.
func dieWithParent() *syscall.SysProcAttr { return nil }
