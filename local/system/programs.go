package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	"github.com/scenario-archive/scenario-archive/local/display"
)

const standInPackage = "./scenario/scenariotest/cmd/scenariotest"

func (s *System) programs() build.Options {
	o := build.Options{Repo: s.options.Repo, BinDir: s.options.BinDir}
	for _, name := range append(functionNames(s.served), s.entryFunctions()...) {
		o.Packages = append(o.Packages, "./functions/"+name)
	}
	if s.StandIn {
		o.Packages = append(o.Packages, standInPackage)
	}
	return o
}

// buildAndStartS3 does both at once: on two cores the S3 server's start hides behind the build, or the other way round.
func (s *System) buildAndStartS3(ctx context.Context) error {
	programs := s.programs()
	if programs.Fresh() {
		s.options.Screen.Line("Building the system: about two minutes this first time, seconds from then on.")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.build(ctx, programs) })
	group.Go(func() error { return s.startS3(ctx) })
	return group.Wait()
}

// longBuild is how long a build must take to get a line on the screen.
const longBuild = 2 * time.Second

func (s *System) build(ctx context.Context, programs build.Options) error {
	task := s.options.Screen.Task("building the functions")
	programs.Progress = task.Detail
	err := build.Run(ctx, programs)
	if took := task.End(); err == nil && took > longBuild {
		s.options.Screen.Line("Built the functions in %s.", display.Duration(took))
	}
	return err
}

func (s *System) startS3(ctx context.Context) error {
	task := s.options.Screen.Task("preparing the S3 server")
	server, err := s3.Start(ctx, s3.Config{
		Dir: filepath.Join(s.dir, "s3"), Addr: s.options.S3.Addr, Bucket: Bucket, RepoDir: s.options.Repo,
		TLSDir: filepath.Join(s.dir, "tls"),
		Log: writerFunc(func(text string) {
			task.Detail(text)
			s.logs.write("s3", text)
		}),
	})
	if took := task.End(); err == nil && took > longBuild {
		s.options.Screen.Line("Built and started the S3 server in %s.", display.Duration(took))
	}
	if err != nil {
		return err
	}
	s.S3 = server
	s.onClose(func() {
		server.Stop()
		_ = os.RemoveAll(filepath.Join(s.dir, "s3", serverLocks))
	})
	go func() {
		<-server.Done()
		s.report(fmt.Errorf("the S3 server has ended by itself: %s", server.Stderr()))
	}()
	return nil
}

// serverLocks is where versitygw keeps locks on parts; it leaves those whose uploads were cut off.
const serverLocks = ".vgwlocks"
