// Command versitygw is the S3 server of a local run: versitygw's gateway on a directory, for this machine alone. The
// package internal/emulator/s3 builds and runs it. The root user's keys are in ROOT_ACCESS_KEY and ROOT_SECRET_KEY. It
// ends when its standard input closes, and so with the process that has started it, however that ends.
//
// It is versitygw's own program but for three things that its options cannot say: see drain, guard and attributes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/s3api"
)

type options struct {
	addr, region, cert, key, dir, sidecar string
	remove                                string
	md5ETags                              bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "", "loopback `host:port` to listen on")
	flag.StringVar(&o.region, "region", "us-east-1", "`name` of the region that requests are signed for")
	flag.StringVar(&o.cert, "cert", "", "the server's certificate, a PEM `file`")
	flag.StringVar(&o.key, "key", "", "its key, a PEM `file`")
	flag.StringVar(&o.dir, "dir", "", "`directory` of the buckets")
	flag.StringVar(&o.sidecar, "sidecar", "", "`directory` for metadata, where the file system has no extended attributes")
	flag.BoolVar(&o.md5ETags, "md5-etags", false, "make ETags of MD5 sums")
	flag.StringVar(&o.remove, "remove", "", "`directory` to remove at the end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go endWithStarter(o.remove)
	err := errors.Join(serve(ctx, o), os.RemoveAll(o.remove)) // nothing without a name
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// endWithStarter waits until standard input closes. Nobody waits for answers then, and the port may be wanted again.
func endWithStarter(remove string) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	for range 2 { // what a request under way has made meanwhile goes the second time
		_ = os.RemoveAll(remove)
	}
	os.Exit(1)
}

func serve(ctx context.Context, o options) error {
	be, err := storage(o)
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(ctx, be, &embedgw.Config{
		RootUserAccess: os.Getenv("ROOT_ACCESS_KEY"), RootUserSecret: os.Getenv("ROOT_SECRET_KEY"), Region: o.region,
		Ports: []string{o.addr}, CertFile: o.cert, KeyFile: o.key, Quiet: true,
		// The limits are those of versitygw's own program.
		MaxConnections: 250_000, MaxRequests: 100_000, MultipartMaxParts: 10_000,
		KeepAlive: true, // off by default there: every request would pay for a TLS handshake
		S3Options: []s3api.Option{s3api.WithMiddleware("/", drain), s3api.WithMiddleware("/", guard)},
	})
}

func storage(o options) (backend.Backend, error) {
	settings := posix.PosixOpts{
		DataIntegrityEtag: !o.md5ETags, Concurrency: 5000, IOBufferSize: 1 << 20, CopyObjectThreshold: 5 << 30, SideCarDir: o.sidecar,
	}
	settings.SetNewDirPerm(fs.FileMode(0o755))
	settings.SetNewFilePerm(fs.FileMode(0o644))
	if o.sidecar == "" {
		return posix.New(o.dir, attributes{meta.XattrMeta{}}, settings)
	}
	sidecar, err := meta.NewSideCar(o.sidecar)
	if err != nil {
		return nil, err
	}
	return posix.New(o.dir, sidecar, settings)
}
