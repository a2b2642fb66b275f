package system

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// takeLock keeps a second system off the same directory, until the file is closed.
func takeLock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	path := filepath.Join(dir, "lock")
	file, err := process.TryLock(path)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		holder, _ := os.ReadFile(path)
		return nil, fmt.Errorf("%s is in use by process %s: another `make run` or `make up` is at work. Wait for it, or stop it "+
			"with Ctrl-C where it runs", dir, cmp.Or(strings.TrimSpace(string(holder)), "(unknown)"))
	case err != nil:
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	if err = file.Truncate(0); err == nil {
		_, err = fmt.Fprintln(file, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
