//go:build !linux

package process

import "os/exec"

func startTied(cmd *exec.Cmd) error { return cmd.Start() }
