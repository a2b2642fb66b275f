package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	"github.com/scenario-archive/scenario-archive/local/display"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// settings are the flags and variables that run, up and follow share.
type settings struct {
	repo     string
	dir      string
	bin      string              // where programs are built to; empty: below dir
	getenv   func(string) string // nil: the process's
	standIn  string
	scenario system.Scenario
	screen   *display.Screen
}

func (c *settings) flags(name, what string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.repo, "repo", "", "`directory` of the repository (default: found upwards of here)")
	flags.StringVar(&c.dir, "dir", "", "`directory` where the system keeps everything (default: .local in the repository)")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "usage: %s [flags]\n%s\n", name, what)
		flags.PrintDefaults()
	}
	return flags
}

// systemFlags are flags for a command that starts the system.
func (c *settings) systemFlags(name, what string, stderr io.Writer) *flag.FlagSet {
	flags := c.flags(name, what, stderr)
	flags.StringVar(&c.standIn, "stand-in", "", "more `flags` for the Scenario stand-in, such as \"-asset-size 20MiB\"")
	return flags
}

// main parses the arguments, does the work with a screen, and returns the exit status.
func (c *settings) main(flags *flag.FlagSet, args []string, work func() int) int {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case err != nil: // the flag package has complained
		return statusUsage
	case flags.NArg() > 0:
		fmt.Fprintf(flags.Output(), "unexpected argument %q\n", flags.Arg(0))
		flags.Usage()
		return statusUsage
	}
	c.screen = display.NewScreen(flags.Output(), c.env)
	defer c.screen.Close()
	return work()
}

// refuse shows why nothing was started, and returns the exit status.
func (c *settings) refuse(err error) int {
	c.screen.Problem(err)
	return statusUsage
}

func (c *settings) prepare() (err error) {
	if c.repo, err = s3.FindRepo(cmp.Or(c.repo, ".")); err != nil {
		return err
	}
	// The functions run elsewhere, and get paths below it.
	if c.dir, err = filepath.Abs(cmp.Or(c.dir, filepath.Join(c.repo, ".local"))); err != nil {
		return err
	}
	c.scenario, err = system.ScenarioFromEnvironment(c.env)
	return err
}

// findUp reads the environment of the system that is up.
func (c *settings) findUp() (map[string]string, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	env, err := system.ReadEnvironment(c.dir)
	if err != nil {
		return nil, fmt.Errorf("no system is up here (%w); start one with make up", err)
	}
	return env, nil
}

func (c *settings) env(name string) string {
	if c.getenv == nil {
		return os.Getenv(name)
	}
	return c.getenv(name)
}

func (c *settings) options() system.Options {
	return system.Options{
		Repo: c.repo, Dir: c.dir, BinDir: c.bin, Scenario: c.scenario, Screen: c.screen, StandInFlags: strings.Fields(c.standIn),
	}
}
