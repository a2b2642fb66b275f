package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// diskBytes is the size of the file system of the objects: enough for one schedule's.
const diskBytes = "1g"

// disk is a small file system that can be filled.
type disk struct{ dir string }

// mount puts a tmpfs at dir. Its error says why it could not.
func (d *disk) mount(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+diskBytes); err != nil {
		return err
	}
	d.dir = dir
	return nil
}

func (d *disk) unmount() error {
	if d.dir == "" {
		return nil
	}
	return syscall.Unmount(d.dir, syscall.MNT_DETACH)
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill takes all of the space that is left.
func (d *disk) fill() error {
	file, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (d *disk) free() error { return os.Remove(d.filler()) }
