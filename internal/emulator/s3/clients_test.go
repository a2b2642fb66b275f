package s3

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// startServer is a server with the bucket "bucket", and a client that trusts it and keeps one connection.
func startServer(t *testing.T) (*Server, *http.Client) {
	t.Helper()
	server, err := Start(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	client, closeIdle, err := server.Connect(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeIdle)
	return server, client.Options().HTTPClient.(*http.Client)
}

// signed is a PUT as botocore makes it over TLS: the content in aws-chunked form with its checksum as a trailer, and
// that in HTTP chunks, so that the body has no length.
func signed(t *testing.T, s *Server, key, content string) *http.Request {
	t.Helper()
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(content)))
	body := fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n", len(content), content, base64.StdEncoding.EncodeToString(sum))
	r, err := http.NewRequestWithContext(t.Context(), "PUT", s.Endpoint+"/bucket/"+key, io.MultiReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	const payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for name, value := range map[string]string{"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": fmt.Sprint(len(content)),
		"X-Amz-Trailer": "x-amz-checksum-crc32", "X-Amz-Content-Sha256": payload} {
		r.Header.Set(name, value)
	}
	keys := aws.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, payload, "s3", s.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

// What a request leaves unread must not be taken for the beginning of the next one on its connection.
func TestBodiesWithoutALengthLeaveNothingOnTheConnection(t *testing.T) {
	t.Parallel()
	s, client := startServer(t)
	for i, c := range []struct {
		change func(*http.Request)
		want   int
	}{
		{nil, 200}, {nil, 200},
		{func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"0") }, 403},
		{nil, 200},
	} {
		r := signed(t, s, "key", strings.Repeat("x", 100_000))
		if c.change != nil {
			c.change(r)
		}
		var reused bool
		r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(g httptrace.GotConnInfo) { reused = g.Reused }}))
		resp, err := client.Do(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != c.want || reused != (i > 0) {
			t.Errorf("request %d: got %d %s, %v; want %d; on a used connection: %v", i, resp.StatusCode, text, err, c.want, reused)
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	s, client := startServer(t)
	for _, c := range []struct {
		name, host string
		header     http.Header
		want       int
	}{
		{"a name that points here", "evil.example", nil, 421},
		{"another page", "", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"an image of another page", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
	} {
		r := signed(t, s, c.name[:1], "x")
		r.Host = c.host
		for name, values := range c.header {
			r.Header[name] = values
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: got %d, want %d", c.name, resp.StatusCode, c.want)
		}
	}
	objects, closeIdle, err := s.Connect(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle()
	list, err := objects.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String("bucket")})
	if err != nil || len(list.Contents) != 0 {
		t.Errorf("objects %v, %v", list, err)
	}
}
