package s3

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

const (
	serverPackage = "github.com/versity/versitygw/cmd/versitygw"
	serverModule  = "github.com/versity/versitygw"
)

// ensureBinary returns the server's binary, of the version that local/go.mod names, building it when it is missing or
// of another version. Processes that do so at the same time wait for one another.
func ensureBinary(ctx context.Context, repo, binDir string, log io.Writer) (string, error) {
	bin := filepath.Join(binDir, "versitygw")
	want, err := wantedVersion(repo)
	if err != nil {
		return "", err
	}
	if builtVersion(bin) == want {
		return bin, nil
	}
	if err := os.MkdirAll(binDir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(ctx, bin+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if builtVersion(bin) == want { // another process built it while this one waited
		return bin, nil
	}
	return bin, buildServer(ctx, repo, bin, want, log)
}

func buildServer(ctx context.Context, repo, bin, version string, log io.Writer) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("building the local S3 server needs the Go toolchain: no `go` in PATH (https://go.dev/dl)")
	}
	fmt.Fprintf(log, "building the local S3 server (versitygw %s): once, a minute or two\n", version)
	started := time.Now()
	fresh := fmt.Sprintf("%s.%d.new", bin, os.Getpid())
	defer os.Remove(fresh)
	// In local/, its go.mod fixes the versions of everything that goes into the server.
	cmd := exec.CommandContext(ctx, goTool, "build", "-trimpath", "-ldflags=-s -w", "-o", fresh, serverPackage)
	cmd.Dir = filepath.Join(repo, "local")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=", "GOARCH=", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the local S3 server failed (%w):\n%s", err, lastBytes(out, tailBytes))
	}
	if err := os.Rename(fresh, bin); err != nil {
		return err
	}
	fmt.Fprintf(log, "built in %s\n", time.Since(started).Round(time.Second))
	return nil
}

var requireLine = regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(serverModule) + `\s+(v\S+)`)

func wantedVersion(repo string) (string, error) {
	path := filepath.Join(repo, "local", "go.mod")
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	m := requireLine.FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("local S3: %s does not require %s", path, serverModule)
	}
	return string(m[1]), nil
}

// builtVersion is the version stamped into a binary; "" when there is none.
func builtVersion(bin string) string {
	info, err := buildinfo.ReadFile(bin)
	if err != nil || info.Main.Path != serverModule {
		return ""
	}
	return info.Main.Version
}

func lastBytes(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
