package process

import (
	"os"
	"syscall"
)

// TryLock opens a file, made when missing, with a lock that ends when it is closed, and so with this process, however that
// ends. The error is syscall.EWOULDBLOCK when somebody else has the lock. The file must stay: were it removed, two
// processes could lock two files of one name.
func TryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
