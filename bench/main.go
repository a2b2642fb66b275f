// Command bench measures the transfer function beside what one would otherwise use: rclone copyurl, curl piped into the
// AWS CLI, and the SDK's transfer manager fed by one GET. All move the same archive from the same HTTP server into the
// same local S3 server, each as a process of its own, in turns, so that a noisy machine hits all alike.
//
// It runs itself as the transfer manager's process.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

type config struct {
	size, bigSize   int64
	runs, slowRuns  int
	concurrency     int
	only, out, temp string
	arch, under     string // of the functions' cold starts
	scale           int    // by which unpacking is smaller
	oursAlone       bool   // unpacking, without the others
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == plainCommand {
		if err := movePlain(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var c config
	sizeMiB := flag.Int64("size", 1024, "archive in `MiB`")
	bigGiB := flag.Int64("big", 20, "archive of the memory measurement in `GiB`; 0 leaves it out")
	flag.IntVar(&c.runs, "runs", 5, "runs of each, of which the median counts")
	flag.IntVar(&c.slowRuns, "slow-runs", 2, "runs where the source is limited, which takes others long")
	flag.IntVar(&c.concurrency, "concurrency", 64, "ranges in flight at most, ours")
	flag.StringVar(&c.only, "only", "", "the one `condition` to measure: unlimited, md5, limited, rtt, cut, sink, memory, cold, unpack, unpack-memory")
	flag.StringVar(&c.out, "out", "", "`file` to write the results to, beside standard output")
	flag.StringVar(&c.temp, "temp", "", "`directory` for archive and objects (default: the system's)")
	flag.StringVar(&c.arch, "arch", runtime.GOARCH, "`processor` that the functions are built for: with -only cold and -under, another one")
	flag.StringVar(&c.under, "under", "", "`command` that runs the functions, such as qemu-aarch64-static (-only cold)")
	flag.IntVar(&c.scale, "scale", 1, "`number` by which the archives that are unpacked are smaller")
	flag.BoolVar(&c.oursAlone, "ours", false, "unpack with ours alone")
	flag.Parse()
	c.size, c.bigSize = *sizeMiB<<20, *bigGiB<<30

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	started := time.Now()
	if err := bench(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "measured in %s\n", time.Since(started).Round(time.Second))
}
