package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

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
	stopped := make(chan struct{})
	go func() { // ends when the context does, or with serve
		defer close(stopped)
		<-ctx.Done()
		handler.Close()
		_ = server.Close() // cuts what is under way: an archive may have hours to go
	}()
	if at.cert != "" {
		fmt.Fprintf(stdout, "https://%s/v1\n", listener.Addr())
		err = server.ServeTLS(listener, at.cert, at.key)
	} else {
		fmt.Fprintf(stdout, "http://%s/v1\n", listener.Addr())
		err = server.Serve(listener)
	}
	if ctx.Err() == nil {
		return err // the listener broke
	}
	<-stopped
	return nil
}
