package harness

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Main is a check's main: it parses the flags, those of Options among them, and runs the check until it ends or the
// process is interrupted. When the check fails the process ends with status 1.
func Main(name string, check func(context.Context, Options) error) {
	var o Options
	flag.StringVar(&o.Repo, "repo", "..", "`directory` of the repository")
	flag.StringVar(&o.Dir, "dir", "", "`directory` for everything (default: one that is removed at the end)")
	flag.Parse()
	if err := run(name, o, check); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func run(name string, o Options, check func(context.Context, Options) error) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", name+"-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.Dir)
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	return check(ctx, o)
}
