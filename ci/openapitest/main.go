// Command openapitest serves the API on this machine for clients that test it against openapi.yaml: each HTTP request
// becomes an event of API Gateway for the function's own handler, behind an authoriser that knows one token. Behind the
// handler is a stand-in of Step Functions with an archive in every status.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/apigateway"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "loopback `host:port` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints one line with the URL when it is ready.
func serve(ctx context.Context, addr string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := newBackend(ctx, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: authorised(gateway(b.api)), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// gateway is API Gateway before the function's own handler.
func gateway(api http.Handler) http.Handler {
	handle := httpapi.Handler(api)
	return apigateway.New(apigateway.Options{Invoke: func(ctx context.Context, event []byte) ([]byte, string, error) {
		answer, err := handle(ctx, event)
		if err != nil {
			return nil, "", err
		}
		result, err := json.Marshal(answer)
		return result, "", err
	}})
}

// authorised is the gateway's authoriser, which accepts the token "local". It refuses before the API sees the request.
func authorised(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer local" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Unauthorized"}`)) // the caller may have gone
			return
		}
		next.ServeHTTP(w, r)
	})
}
