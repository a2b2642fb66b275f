package system

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lock keeps a second system off the same directory. The kernel frees it when the process ends, however it does.
type lock struct{ file *os.File }

func takeLock(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, busy(dir, file)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := errors.Join(file.Truncate(0), writeAt(file, fmt.Sprintf("%d\n", os.Getpid()))); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lock{file}, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func busy(dir string, file *os.File) error {
	holder, _ := io.ReadAll(io.LimitReader(file, 20))
	return fmt.Errorf("%s is in use by process %s: another `make run` or `make up` is at work. Wait for it, or stop it "+
		"with Ctrl-C where it runs", dir, orUnknown(strings.TrimSpace(string(holder))))
}

func orUnknown(pid string) string {
	if pid == "" {
		return "(unknown)"
	}
	return pid
}

// free leaves the file: removing it would let two processes lock two files of one name.
func (l *lock) free() { _ = l.file.Close() }
