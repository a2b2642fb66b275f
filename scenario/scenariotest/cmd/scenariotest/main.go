// Command scenariotest serves a stand-in of the Scenario API (see package scenariotest) until it is interrupted. When it
// is ready it prints one line, its base URL:
//
//	$ scenariotest -addr 127.0.0.1:9090 -assets 1000 -asset-size 20MiB
//	http://127.0.0.1:9090/v1
//
// Then, for example:
//
//	curl -u local-key:local-secret http://127.0.0.1:9090/v1/assets/archive \
//	  -d '{"query":{"assetIds":["asset_one","asset_two"]},"options":{"flat":true}}'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run serves until the context ends and gives the exit status: 0; 1 if serving failed; 2 for wrong flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	at, options, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "scenariotest:", err)
		return 2
	}
	if err := serve(ctx, at, options, stdout); err != nil {
		fmt.Fprintln(stderr, "scenariotest:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, at place, o scenariotest.Options, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", at.addr)
	if err != nil {
		return err
	}
	handler := scenariotest.NewHandler(o)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	defer context.AfterFunc(ctx, func() {
		handler.Close()
		_ = server.Close() // cuts what is under way: an archive may have hours to go
	})()
	if at.cert != "" {
		fmt.Fprintf(stdout, "https://%s/v1\n", listener.Addr())
		err = server.ServeTLS(listener, at.cert, at.key)
	} else {
		fmt.Fprintf(stdout, "http://%s/v1\n", listener.Addr())
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err // the listener broke
}

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
	flags.Func("asset-size", "`size` of each image file, such as 20MiB (default: what the picture needs)", func(text string) (err error) {
		o.AssetSize, err = parseSize(text)
		return err
	})
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

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// parseSize reads a number of bytes, with a unit or without.
func parseSize(text string) (int64, error) {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			break
		}
		return n * unit.bytes, nil
	}
	return 0, errors.New("want a number with B, KiB, MiB, GiB, kB, MB or GB, or without")
}
