package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// place is where the server listens. With files of a certificate and its key it speaks TLS.
type place struct{ addr, cert, key string }

func parse(args []string, stderr io.Writer) (at place, o scenariotest.Options, err error) {
	flags := flag.NewFlagSet("scenariotest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&at.addr, "addr", "127.0.0.1:9090", "`address` to listen on; port 0: any free one")
	flags.StringVar(&at.cert, "tls-cert", "", "`file` of the certificate, for https; needs -tls-key")
	flags.StringVar(&at.key, "tls-key", "", "`file` of the certificate's key")
	flags.StringVar(&o.Key, "key", scenariotest.DefaultKey, "API `key` that is accepted")
	flags.StringVar(&o.Secret, "secret", scenariotest.DefaultSecret, "its `secret`")
	flags.DurationVar(&o.JobDuration, "job-duration", 0, "how long a job takes (default 100ms)")
	flags.DurationVar(&o.URLLifetime, "url-lifetime", 0, "how long an archive's URL can be used (default 1h)")
	flags.IntVar(&o.AssetsPerSource, "assets", 0, "how many assets each inference and each model `stands for` (default 4)")
	flags.IntVar(&o.Catalogue, "catalogue", 250, "how many assets `lists` show from the beginning")
	flags.Var((*size)(&o.AssetSize), "asset-size", "`size` of each image file, such as 20MiB (default: what the picture needs)")
	flags.IntVar(&o.MaxConcurrentJobs, "max-jobs", 0, "how many jobs may run `at once` (default: no limit)")
	flags.StringVar((*string)(&o.Routes), "routes", "", "only the `endpoints` of the \"guide\" or of the \"reference\" (default: both)")
	flags.StringVar(&o.State, "state", "", "`directory` that keeps the jobs, for the next start (default: none)")
	flags.Func("fault", "misbehave: a fault as `JSON`, or an array; may be repeated (see the package's documentation)",
		func(text string) error {
			list, err := scenariotest.ParseFaults([]byte(text))
			o.Faults = append(o.Faults, list...)
			return err
		})
	if err := flags.Parse(args); err != nil {
		return at, o, err
	}
	if flags.NArg() > 0 {
		return at, o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if (at.cert == "") != (at.key == "") {
		return at, o, errors.New("-tls-cert and -tls-key go together")
	}
	return at, o, o.Validate()
}

// size is a number of bytes, with a unit or without.
type size int64

func (s *size) String() string { return strconv.FormatInt(int64(*s), 10) }

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func (s *size) Set(text string) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			break
		}
		*s = size(n * unit.bytes)
		return nil
	}
	return errors.New("want a number with B, KiB, MiB, GiB, kB, MB or GB, or without")
}
