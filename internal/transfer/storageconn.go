package transfer

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
)

// bodyBuffer is how much of a part's body is read from the source and written to S3 at once. net/http would read 32 KiB,
// and TLS would write each record of 16 KiB by a system call of its own; this needs a quarter of those calls, and wakes
// source and storage less often.
const bodyBuffer = 128 << 10

var (
	bodyBuffers = sync.Pool{New: func() any { return new([bodyBuffer]byte) }}
	// Four records go out at once: Linux hands 64 KiB at most to the network in one piece. A record of TLS has 16 KiB of
	// the body and at most 256 bytes around it (RFC 8446, section 5.2).
	recordBuffers = sync.Pool{New: func() any {
		b := make([]byte, 0, 4*(16<<10+256))
		return &b
	}}
)

// storageConn is a TLS connection to S3 that sends bodies in large pieces.
type storageConn struct {
	*tls.Conn
	raw *gatheringConn
}

// dialStorage makes the connections of an S3 client, with the settings that its transport has for them.
func dialStorage(t *http.Transport) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := t.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if t.TLSClientConfig != nil {
			c = t.TLSClientConfig.Clone()
		}
		// HTTP/1.1 alone is offered: the transport's own list has HTTP/2 in it, and a server that chose it would be spoken to
		// in another protocol than it agreed to.
		c.NextProtos = []string{"http/1.1"}
		c.DynamicRecordSizingDisabled = true // small records are for pages, whose first bytes somebody waits for
		if c.ServerName == "" {
			if c.ServerName, _, err = net.SplitHostPort(address); err != nil {
				conn.Close()
				return nil, err
			}
		}
		raw := &gatheringConn{Conn: conn}
		secure := &storageConn{tls.Client(raw, c), raw}
		ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// ReadFrom is what net/http sends a body with.
func (c *storageConn) ReadFrom(r io.Reader) (n int64, err error) {
	buf := bodyBuffers.Get().(*[bodyBuffer]byte)
	defer bodyBuffers.Put(buf)
	for {
		read, readErr := r.Read(buf[:])
		if read > 0 {
			written, err := c.Write(buf[:read])
			n += int64(written)
			if err != nil {
				return n, err
			}
		}
		if readErr == io.EOF {
			return n, nil
		}
		if readErr != nil {
			return n, readErr
		}
	}
}

// Write has left the process when it returns, like any Write.
func (c *storageConn) Write(p []byte) (int, error) {
	c.raw.gather()
	n, err := c.Conn.Write(p)
	if flushErr := c.raw.flush(); err == nil && flushErr != nil {
		return 0, flushErr
	}
	return n, err
}

// gatheringConn joins the records of one Write of TLS. What TLS writes on its own, such as an alert, is not held back.
type gatheringConn struct {
	net.Conn
	mu  sync.Mutex
	buf *[]byte // while records are gathered
}

func (c *gatheringConn) gather() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = recordBuffers.Get().(*[]byte)
}

func (c *gatheringConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return c.Conn.Write(p)
	}
	if len(*c.buf)+len(p) > cap(*c.buf) { // full
		if err := c.send(); err != nil {
			return 0, err
		}
	}
	if len(p) > cap(*c.buf) {
		return c.Conn.Write(p)
	}
	*c.buf = append(*c.buf, p...)
	return len(p), nil
}

func (c *gatheringConn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.send()
	recordBuffers.Put(c.buf)
	c.buf = nil
	return err
}

// send writes what is gathered.
func (c *gatheringConn) send() error {
	b := *c.buf
	*c.buf = b[:0]
	if len(b) == 0 {
		return nil
	}
	_, err := c.Conn.Write(b)
	return err
}
