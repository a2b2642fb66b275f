package main

import (
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// source is what the archive's HTTP server is like.
type source struct {
	rate  int64         // bytes per second and connection; 0 is as many as go
	delay time.Duration // of a round trip
	cut   float64       // share of answers that break off
}

// serve serves a file: ranges, a strong ETag, sendfile where nothing has to be slowed down.
func (s source) serve(path string) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"bench"`)
		mu.Lock()
		fails, at := random.Float64() < s.cut, random.Float64()
		mu.Unlock()
		if fails {
			w = &cutWriter{w, int64(at * float64(8<<20))}
		}
		http.ServeFile(w, r, path)
	})}
	go func() { _ = server.Serve(&slowListener{listener, s}) }() // until it is closed
	return "http://" + listener.Addr().String() + "/archive.zip", func() { _ = server.Close() }, nil
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

type slowListener struct {
	net.Listener
	source
}

func (l *slowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.delay > 0 {
		c = delayed(c, l.delay/2)
	}
	if l.rate > 0 {
		c = &pacedConn{Conn: c, rate: l.rate}
	}
	return c, nil
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

// delayed is a connection on which every byte is held back for half a round trip, in both directions.
func delayed(outer net.Conn, half time.Duration) net.Conn {
	inner, far := net.Pipe()
	go func() {
		time.Sleep(2 * half) // the handshake of TCP
		go hold(outer, far, half)
		hold(far, outer, half)
	}()
	return inner
}

type held struct {
	due  time.Time
	data []byte
}

// hold copies with a delay. What is under way at most, 512 pieces of 32 KiB, is a window of 16 MiB.
func hold(to, from net.Conn, delay time.Duration) {
	queue := make(chan held, 512)
	go func() {
		defer close(queue)
		for {
			b := make([]byte, 32<<10)
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
