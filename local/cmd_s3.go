package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// s3Ready is the one line that `local s3` prints on standard output once the server answers.
type s3Ready struct {
	s3.Access
	Bucket string `json:"bucket"`
}

// cmdS3 runs the S3 server alone until its standard input closes or it is interrupted.
func cmdS3(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config := s3.Config{Log: stderr}
	flags := flag.NewFlagSet("local s3", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&config.Dir, "dir", "", "`directory` of the buckets; without it a temporary one, removed at the end")
	flags.StringVar(&config.Addr, "addr", "127.0.0.1:0", "loopback `host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&config.Bucket, "bucket", "", "`name` of a bucket to make")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case err != nil:
		return statusUsage
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "local s3: what is %q?\n", flags.Arg(0))
		return statusUsage
	}
	if err := serveS3(ctx, config, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return statusFailed
	}
	return statusOK
}

func serveS3(ctx context.Context, config s3.Config, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	server, err := s3.Start(ctx, config)
	if err != nil {
		return err
	}
	defer server.Stop()
	if err := json.NewEncoder(stdout).Encode(s3Ready{server.Access, config.Bucket}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-server.Done():
		return fmt.Errorf("the S3 server ended by itself: %s", server.Stderr())
	}
}
