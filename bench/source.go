package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// serveSource is the archive's HTTP server: ranges, a strong ETag, sendfile where nothing has to be slowed down.
func serveSource(args []string) error {
	flags := flag.NewFlagSet("source", flag.ExitOnError)
	path := flags.String("file", "", "")
	rate := flags.Int64("rate", 0, "bytes per second and connection")
	delay := flags.Duration("delay", 0, "round trip")
	cutShare := flags.Float64("cut", 0, "share of answers that break off")
	_ = flags.Parse(args)
	file, err := os.Open(*path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listener := &pacedListener{Listener: inner, rate: *rate}
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"bench"`)
		mu.Lock()
		fails, at := random.Float64() < *cutShare, random.Float64()
		mu.Unlock()
		if fails {
			w = &cutWriter{w, int64(at * float64(8<<20))}
		}
		f, err := os.Open(*path)
		if err != nil {
			http.Error(w, "gone", http.StatusInternalServerError)
			return
		}
		defer f.Close()
		http.ServeContent(w, r, "archive.zip", info.ModTime(), f)
	})}
	address := inner.Addr().String()
	if *delay > 0 {
		if address, err = delayed(address, *delay/2); err != nil {
			return err
		}
	}
	fmt.Println("http://" + address + "/archive.zip")
	return serveUntilStdinCloses(func() error { return server.Serve(listener) })
}

// serveUntilStdinCloses: a child ends with its parent.
func serveUntilStdinCloses(serve func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		failed <- nil
	}()
	return <-failed
}

// cutWriter breaks an answer off.
type cutWriter struct {
	http.ResponseWriter
	left int64
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		panic(http.ErrAbortHandler)
	}
	c.left -= int64(len(p))
	return c.ResponseWriter.Write(p)
}

type pacedListener struct {
	net.Listener
	rate int64
}

func (l *pacedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || l.rate == 0 {
		return c, err
	}
	return &pacedConn{Conn: c, rate: l.rate}, nil
}

// pacedConn writes no faster than its rate. It embeds the interface: there is no ReadFrom, and so no sendfile past it.
type pacedConn struct {
	net.Conn
	rate int64
	next time.Time
}

func (c *pacedConn) Write(p []byte) (n int, err error) {
	const step = 64 << 10
	for len(p) > 0 && err == nil {
		now := time.Now()
		if c.next.Before(now.Add(-50 * time.Millisecond)) { // what was not used is lost
			c.next = now
		}
		time.Sleep(time.Until(c.next))
		var k int
		k, err = c.Conn.Write(p[:min(len(p), step)])
		c.next = c.next.Add(time.Duration(k) * time.Second / time.Duration(c.rate))
		n += k
		p = p[k:]
	}
	return n, err
}

// delayed is a proxy before target that holds every byte back for half a round trip, in both directions.
func delayed(target string, half time.Duration) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				time.Sleep(2 * half) // the handshake of TCP
				out, err := net.Dial("tcp", target)
				if err != nil {
					in.Close()
					return
				}
				go hold(out, in, half)
				hold(in, out, half)
			}()
		}
	}()
	return l.Addr().String(), nil
}

type held struct {
	due  time.Time
	data []byte
}

// hold copies with a delay. What is under way at most, 256 pieces of 64 KiB, is a window of 16 MiB.
func hold(to, from net.Conn, delay time.Duration) {
	queue := make(chan held, 256)
	go func() {
		defer close(queue)
		for {
			b := make([]byte, 64<<10)
			n, err := from.Read(b)
			if n > 0 {
				queue <- held{time.Now().Add(delay), b[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for h := range queue {
		time.Sleep(time.Until(h.due))
		if _, err := to.Write(h.data); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range queue { // let the reader end
	}
}
