package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// tuned is an HTTP client as the S3 client gets it. trust: whose certificate it accepts; nil for nobody's.
func tuned(trust *httptest.Server, more ...func(*http.Transport)) s3.HTTPClient {
	roots := x509.NewCertPool()
	if trust != nil {
		roots.AddCert(trust.Certificate())
	}
	o := s3.Options{HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig = &tls.Config{RootCAs: roots}
		for _, f := range more {
			f(t)
		}
	})}
	TuneStorage(3)(&o)
	return o.HTTPClient
}

func TestStorageConnectionSendsBodiesWhole(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			b = []byte(err.Error())
		}
		got <- b
	}))
	defer server.Close()
	client := tuned(server)
	data := make([]byte, 1<<20+3)
	rand.NewChaCha8([32]byte{1}).Read(data)
	for name, size := range map[string]int{
		"nothing": 0, "a byte": 1, "a record": 16 << 10, "a piece less one": bodyBuffer - 1, "a piece": bodyBuffer,
		"a piece and one": bodyBuffer + 1, "many pieces": len(data),
	} {
		for kind, reader := range map[string]func(io.Reader) io.Reader{
			"whole reads": func(r io.Reader) io.Reader { return r },
			"half reads":  iotest.HalfReader, "end with the data": iotest.DataErrReader,
		} {
			body := reader(struct{ io.Reader }{bytes.NewReader(data[:size])})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(size)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, kind, err)
			}
			resp.Body.Close()
			if b := <-got; !bytes.Equal(b, data[:size]) {
				t.Errorf("%s, %s: %d bytes arrived, %d were sent, or others", name, kind, len(b), size)
			}
		}
	}
}

// countingConn counts the calls that a process would make of the system.
type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestStorageConnectionWritesLargePieces(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n, _ := io.Copy(io.Discard, r.Body); n != size {
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	var writes atomic.Int64
	client := tuned(server, func(tr *http.Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return countingConn{conn, &writes}, err
		}
	})
	body := io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{}), size))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if most := int64(size/(64<<10) + 16); writes.Load() > most {
		t.Errorf("%d writes for %d bytes; %d would do", writes.Load(), size, most)
	}
}

func TestStorageConnectionBodyThatFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	broken := io.MultiReader(io.LimitReader(rand.NewChaCha8([32]byte{}), 300<<10), iotest.ErrReader(io.ErrUnexpectedEOF))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, broken)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 1 << 20
	if _, err := tuned(server).Do(req); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("%v", err)
	}
}

func TestStorageConnectionRefusesStrangers(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for name, test := range map[string]struct {
		client    s3.HTTPClient
		url, want string
	}{
		"a certificate of nobody that is trusted": {tuned(nil), server.URL, "certificate"},
		"another name than the certificate's": {tuned(server, func(tr *http.Transport) {
			tr.TLSClientConfig.ServerName = "s3.amazonaws.com"
		}), server.URL, "s3.amazonaws.com"},
		"nobody there": {tuned(server), "https://127.0.0.1:1", "refused"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := test.client.Do(req); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// pieces keeps what is written, call by call.
type pieces struct {
	net.Conn
	got  [][]byte
	fail error
}

func (p *pieces) Write(b []byte) (int, error) {
	p.got = append(p.got, bytes.Clone(b))
	return len(b), p.fail
}

func TestGatheringConnection(t *testing.T) {
	t.Parallel()
	out := &pieces{}
	c := &gatheringConn{Conn: out}
	write := func(b ...byte) {
		t.Helper()
		if n, err := c.Write(b); n != len(b) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	write(1) // not gathered: at once
	c.gather()
	write(2)
	write(3)
	if len(out.got) != 1 {
		t.Errorf("%d pieces before the end", len(out.got))
	}
	if err := c.flush(); err != nil {
		t.Fatal(err)
	}
	c.gather()
	write(4)
	write(make([]byte, 4*bodyBuffer)...) // never gathered: larger than all that is
	write(5)
	if err := c.flush(); err != nil {
		t.Fatal(err)
	}
	c.gather()
	if err := c.flush(); err != nil { // nothing to send
		t.Fatal(err)
	}
	want := [][]byte{{1}, {2, 3}, {4}, make([]byte, 4*bodyBuffer), {5}}
	if len(out.got) != len(want) {
		t.Fatalf("%d pieces, want %d", len(out.got), len(want))
	}
	for i := range want {
		if !bytes.Equal(out.got[i], want[i]) {
			t.Errorf("piece %d has %d bytes, or others", i, len(out.got[i]))
		}
	}
	out.fail = io.ErrClosedPipe
	c.gather()
	write(6)
	if err := c.flush(); err != io.ErrClosedPipe {
		t.Errorf("%v", err)
	}
}

func TestTuneStorageLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	o := s3.Options{HTTPClient: http.DefaultClient}
	TuneStorage(0)(&o)
	if o.HTTPClient != s3.HTTPClient(http.DefaultClient) {
		t.Error("a client that is not the SDK's was replaced")
	}
	o = s3.Options{HTTPClient: awshttp.NewBuildableClient()}
	TuneStorage(0)(&o)
	c := o.HTTPClient.(*awshttp.BuildableClient).GetTransport()
	if c.MaxIdleConnsPerHost < defaultConcurrency || c.Protocols.HTTP2() {
		t.Errorf("transport keeps %d connections, HTTP/2 %v", c.MaxIdleConnsPerHost, c.Protocols.HTTP2())
	}
}
