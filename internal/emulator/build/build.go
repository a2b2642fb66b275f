// Package build makes the programs that a local run needs from their sources, with the Go toolchain that is there.
// Whether something is stale is for `go build` to say: it knows its inputs, and links only what changed.
package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// Options says what to build and where to. All fields but Progress are required.
type Options struct {
	// Repo is the directory of the module.
	Repo string
	// BinDir is where the binaries go, each by its package's last name.
	BinDir string
	// Packages are main packages, such as ./functions/launch.
	Packages []string
	// Progress, when set, gets each line that the toolchain says meanwhile: packages compiled, modules downloaded.
	Progress func(line string)
}

// Flags are what every program of a local run is built with. They change nothing about how a package is compiled, so that
// all of them and the tests share one build cache. lambda.norpc is what AWS says to use on its provided runtimes. No
// version control stamp: a commit alone must not make a program stale.
var Flags = []string{"-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w"}

// Fresh reports whether none of the programs is there, so that building them will take its time.
func (o Options) Fresh() bool {
	for _, p := range o.Packages {
		if _, err := os.Stat(o.Binary(p)); err == nil {
			return false
		}
	}
	return true
}

// Binary is the path of a package's program.
func (o Options) Binary(pkg string) string { return filepath.Join(o.BinDir, filepath.Base(pkg)) }

// Run builds all packages in one go. Its error says what a person should do: install a toolchain, or correct the code.
func Run(ctx context.Context, o Options) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("there is no Go toolchain: `go` is not in PATH. Install it from https://go.dev/dl")
	}
	if err := os.MkdirAll(o.BinDir, 0o755); err != nil {
		return err
	}
	args := append([]string{"build", "-v", "-o", o.BinDir + string(filepath.Separator)}, Flags...)
	cmd := exec.CommandContext(ctx, tool, append(args, o.Packages...)...)
	cmd.Dir = o.Repo
	// Native and static, whatever the person's own settings are.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=", "GOARCH=", "GOFLAGS=-mod=readonly", "GOWORK=off")
	cmd.Cancel = func() error { process.Kill(cmd); return nil }
	cmd.WaitDelay = 2 * time.Second
	said, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := process.Start(cmd); err != nil {
		return err
	}
	var rest strings.Builder // what matters when it fails
	for r := bufio.NewReader(said); ; {
		line, err := r.ReadString('\n')
		if text := strings.TrimSuffix(line, "\n"); !progressLine.MatchString(text) {
			rest.WriteString(line)
		} else if o.Progress != nil {
			o.Progress(text)
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return explain(rest.String(), err)
	}
	return nil
}

// A package's path, or a download: neither says anything when the build has failed.
var progressLine = regexp.MustCompile(`^(go: (downloading|extracting|finding) .*|[\w.~/-]+)$`)

// explain turns what the toolchain said into what to do about it.
func explain(said string, err error) error {
	said = strings.TrimSpace(said)
	switch {
	case said == "":
		return fmt.Errorf("go build: %w", err)
	case strings.Contains(said, "requires go >="):
		return fmt.Errorf("the Go toolchain is too old; install a newer one from https://go.dev/dl, "+
			"or unset GOTOOLCHAIN so that it can fetch one by itself:\n%s", said)
	case strings.Contains(said, "dial tcp"), strings.Contains(said, "proxyconnect"):
		return fmt.Errorf("the modules could not be downloaded; the first build needs the network:\n%s", said)
	default:
		return fmt.Errorf("the build failed:\n%s", said)
	}
}
