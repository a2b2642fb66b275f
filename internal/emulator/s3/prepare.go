package s3

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// serverPackage is in the module local, whose go.mod fixes the versions of all that goes into the server.
const serverPackage = "./versitygw"

// ensureBinary returns the server's binary, built when it is not what its sources say. Processes that do so at the same
// time wait for one another.
func ensureBinary(ctx context.Context, c Config) (string, error) {
	bin := filepath.Join(c.RepoDir, ".local", "bin") // kept between runs
	o := build.Options{Repo: filepath.Join(c.RepoDir, "local"), BinDir: bin, Packages: []string{serverPackage}}
	fresh := o.Fresh()
	if fresh {
		fmt.Fprintln(c.Log, "building the local S3 server (versitygw): once, a minute or two")
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(bin, "versitygw.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	started := time.Now()
	if err := build.Run(ctx, o); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	if fresh {
		fmt.Fprintf(c.Log, "built in %s\n", time.Since(started).Round(time.Second))
	}
	return o.Binary(serverPackage), nil
}

const lockPoll = 100 * time.Millisecond

// lockFile waits for the lock of a file; see process.TryLock.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		file, err := process.TryLock(path)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// prepareDirs makes the data directory and answers the directory for metadata when the file system cannot keep it in
// extended attributes, or "" when it can.
func prepareDirs(c Config) (sidecar string, err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	f, err := os.CreateTemp(c.Dir, ".xattr-*")
	if err != nil {
		return "", fmt.Errorf("local S3: %s cannot be written: %w", c.Dir, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if unix.Setxattr(f.Name(), "user.local-s3", []byte("1"), 0) == nil {
		return "", nil
	}
	sidecar = c.Dir + ".meta"
	fmt.Fprintf(c.Log, "%s has no extended attributes: objects' metadata goes to %s\n", c.Dir, sidecar)
	if err := os.MkdirAll(sidecar, 0o755); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	return sidecar, nil
}
