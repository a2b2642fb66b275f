package s3

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
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
