package bucket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/bucket/buckettest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func start(t *testing.T) (bucket.Bucket, *s3test.Server) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an S3 server")
	}
	s := s3test.Start(t)
	return bucket.Bucket{S3: s.Client, Name: s.Bucket}, s
}

func put(t *testing.T, b bucket.Bucket, key, content string) (etag string) {
	t.Helper()
	etag, err := b.Put(t.Context(), key, []byte(content), bucket.PutOptions{ContentType: "text/plain", Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

func TestReading(t *testing.T) {
	t.Parallel()
	b, _ := start(t)
	etag := put(t, b, "k", "0123456789")
	content, info, err := b.Read(t.Context(), "k", 10, bucket.GetOptions{ETag: strings.Trim(etag, `"`)})
	if err != nil || string(content) != "0123456789" || info.Size != 10 || info.ETag != etag || info.Metadata["a"] != "b" ||
		info.ContentType != "text/plain" {
		t.Errorf("got %q, %+v, %v", content, info, err)
	}
	if _, _, err := b.Read(t.Context(), "k", 9, bucket.GetOptions{}); !errors.Is(err, bucket.ErrTooLarge) {
		t.Errorf("9 bytes: %v", err)
	}
	if content, _, err := b.Read(t.Context(), "k", 10, bucket.GetOptions{From: 3, To: 5}); err != nil || string(content) != "34" {
		t.Errorf("a range: %q, %v", content, err)
	}
	if content, _, err := b.Read(t.Context(), "k", 10, bucket.GetOptions{From: 7}); err != nil || string(content) != "789" {
		t.Errorf("to the end: %q, %v", content, err)
	}
	if _, err := b.Get(t.Context(), "k", bucket.GetOptions{ETag: `"other"`}); !bucket.IsChanged(err) || bucket.IsMissing(err) {
		t.Errorf("another ETag: %v", err)
	}
	if _, err := b.Get(t.Context(), "none", bucket.GetOptions{}); !bucket.IsMissing(err) || archive.NameOf(err) != archive.DestinationRefused {
		t.Errorf("none: %v", err)
	}
	if h, err := b.Head(t.Context(), "none"); h != nil || err != nil {
		t.Errorf("none: %+v, %v", h, err)
	}
	other := b
	other.Name = "there-is-no-such-bucket"
	if _, err := other.Get(t.Context(), "k", bucket.GetOptions{}); bucket.IsMissing(err) || archive.NameOf(err) != archive.DestinationRefused {
		t.Errorf("no bucket: %v", err)
	}
}

func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	b, _ := start(t)
	write := func(key, content string, o bucket.PutOptions) (string, error) {
		return b.Put(t.Context(), key, []byte(content), o)
	}
	first, err := write("k", "1", bucket.PutOptions{IfMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write("k", "2", bucket.PutOptions{IfMissing: true}); !bucket.IsChanged(err) {
		t.Errorf("it is there: %v", err)
	}
	second, err := write("k", "2", bucket.PutOptions{IfETag: first})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write("k", "3", bucket.PutOptions{IfETag: first}); !bucket.IsChanged(err) {
		t.Errorf("it was replaced: %v", err)
	}
	if content, _, err := b.Read(t.Context(), "k", 10, bucket.GetOptions{ETag: second}); err != nil || string(content) != "2" {
		t.Errorf("got %q, %v", content, err)
	}
	var won, lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			_, err := write("race", fmt.Sprint(i), bucket.PutOptions{IfMissing: true})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case bucket.IsChanged(err):
				lost++
			}
		})
	}
	all.Wait()
	if won != 1 || lost != 15 {
		t.Errorf("%d won, %d lost", won, lost)
	}
}

func TestListCopyDelete(t *testing.T) {
	t.Parallel()
	b, _ := start(t)
	var want []string
	for i := range 1203 { // more than a page
		key := fmt.Sprintf("list/%04d", i)
		want = append(want, key)
		put(t, b, key, "x")
	}
	put(t, b, "other", "x")
	var got []string
	for o, err := range b.List(t.Context(), "list/", "list/0001") {
		if err != nil || o.Size != 1 {
			t.Fatalf("%+v, %v", o, err)
		}
		got = append(got, o.Key)
	}
	for _, key := range want[1000:] {
		if err := b.Delete(t.Context(), key, ""); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(got, " ") != strings.Join(want[2:], " ") {
		t.Errorf("%d keys", len(got))
	}
	etag := put(t, b, "from é +%.txt", "content")
	if _, err := b.Copy(t.Context(), "from é +%.txt", `"other"`, "to"); !bucket.IsChanged(err) {
		t.Errorf("another ETag: %v", err)
	}
	if _, err := b.Copy(t.Context(), "from é +%.txt", etag, "to"); err != nil {
		t.Fatal(err)
	}
	if h, err := b.Head(t.Context(), "to"); err != nil || h == nil || h.Size != 7 || h.Metadata["a"] != "b" {
		t.Errorf("got %+v, %v", h, err)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "to", ""); err != nil {
			t.Error(err)
		}
	}
	if h, err := b.Head(t.Context(), "to"); h != nil || err != nil {
		t.Errorf("it is still there: %+v, %v", h, err)
	}
}

// S3's errors are classified by what helps, and no answer's text is passed on without a bound, nor a URL.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{403, "AccessDenied", "DestinationRefused"}, {404, "NoSuchBucket", "DestinationRefused"},
		{400, "KMS.ThrottlingException", "DestinationUnavailable"}, {400, "KMS.DisabledException", "DestinationRefused"},
		{409, "ConditionalRequestConflict", "DestinationUnavailable"}, {503, "SlowDown", "DestinationUnavailable"},
		{500, "InternalError", "DestinationUnavailable"}, {429, "TooMany", "DestinationUnavailable"}, {418, "Other", "DestinationRefused"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(c.status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", c.code, strings.Repeat("m", 100_000))
		}))
		b := bucket.Bucket{Name: "b", S3: plainClient(server.URL)}
		_, err := b.Put(t.Context(), strings.Repeat("k", 1000), []byte("x"), bucket.PutOptions{})
		for range 10 { // a reset connection may cut such a long answer before its code is read
			if !strings.Contains(err.Error(), "failed to copy error response body") {
				break
			}
			_, err = b.Put(t.Context(), strings.Repeat("k", 1000), []byte("x"), bucket.PutOptions{})
		}
		if string(archive.NameOf(err)) != c.want || len(err.Error()) > 1000 || !strings.Contains(err.Error(), c.code) {
			t.Errorf("%s: %.300v", c.code, err)
		}
		server.Close()
		if _, err := b.Get(t.Context(), "k", bucket.GetOptions{}); archive.NameOf(err) != archive.DestinationUnavailable ||
			strings.Contains(err.Error(), "http://") {
			t.Errorf("nobody answers: %v", err)
		}
	}
}

// What S3's errors mean for another attempt, each with status 400 unless it says another: S3 sends some throttles so.
func TestWhatPasses(t *testing.T) {
	t.Parallel()
	const never, later, throttled = 0, 1, 2
	for answer, want := range map[string]int{
		"SlowDown": throttled, "Throttling": throttled, "ThrottlingException": throttled, "RequestLimitExceeded": throttled,
		"TooManyRequestsException": throttled, "KMS.ThrottlingException": throttled, "KMS.LimitExceededException": throttled,
		"503 Other": throttled, "429 Other": throttled,
		"RequestTimeout": later, "IncompleteBody": later, "BadDigest": later, "XAmzContentChecksumMismatch": later,
		"RequestTimeTooSkewed": later, "OperationAborted": later, "ConditionalRequestConflict": later, "InternalError": later,
		"ServiceUnavailable": later, "ExpiredToken": later, "TokenRefreshRequired": later, "500 Other": later, "408 Other": later,
		"200 Other":    later,
		"AccessDenied": never, "NoSuchBucket": never, "InvalidAccessKeyId": never, "SignatureDoesNotMatch": never,
		"KMS.DisabledException": never, "KMS.NotFoundException": never, "301 PermanentRedirect": never, "403 Other": never,
	} {
		status, code := 400, answer
		if n, err := fmt.Sscanf(answer, "%d %s", &status, &code); err != nil && n > 0 {
			t.Fatal(err)
		}
		err := error(&smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code},
		})
		if got := bucket.IsTransient(err); got != (want != never) {
			t.Errorf("%s: transient %t", answer, got)
		}
		if got := bucket.IsThrottling(err); got != (want == throttled) {
			t.Errorf("%s: throttling %t", answer, got)
		}
	}
	if err := errors.New("no answer"); !bucket.IsTransient(err) || bucket.IsThrottling(err) {
		t.Error("no answer is one that may come later, and no throttle")
	}
}

// Client's retries go through what the SDK alone gives up on.
func TestClientRetriesWhatPasses(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"KMS.ThrottlingException", "ConditionalRequestConflict"} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if calls++; calls == 1 {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
			}
		}))
		client := bucket.Client(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL,
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}, func(string) string { return "set" })
		_, err := bucket.Bucket{Name: "b", S3: client}.Put(t.Context(), "k", []byte("x"), bucket.PutOptions{})
		if err != nil || calls != 2 {
			t.Errorf("%s: %d calls, %v", code, calls, err)
		}
		server.Close()
	}
}

func plainClient(endpoint string) *s3.Client {
	return s3.New(s3.Options{BaseEndpoint: &endpoint, UsePathStyle: true, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
}

func TestPresign(t *testing.T) {
	t.Parallel()
	b, s := start(t)
	b.Signer = s3.NewPresignClient(s.Client)
	put(t, b, "dir/page.html", "<script>")
	link, _, err := b.Presign(t.Context(), "dir/page.html", time.Minute, bucket.PresignOptions{
		ContentDisposition: `attachment; filename=x`, ContentType: "application/octet-stream",
	})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.TLS}}
	answer, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if string(body) != "<script>" || answer.Header.Get("Content-Disposition") != `attachment; filename=x` ||
		answer.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %d %q, %v", answer.StatusCode, body, answer.Header)
	}
}

const partSize = 8 << 20

func TestUpload(t *testing.T) {
	t.Parallel()
	b, s := start(t)
	for name, size := range map[string]int{
		"nothing": 0, "a byte": 1, "a byte short of a part": partSize - 1, "a part": partSize, "a byte more": partSize + 1,
		"parts and more": 2*partSize + 12345,
	} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * i >> 8)
		}
		u := b.Upload(t.Context(), name, "text/plain", map[string]string{"a": "b"})
		if n, err := io.Copy(u, iotest.HalfReader(bytes.NewReader(content))); n != int64(size) || err != nil {
			t.Fatalf("%s: wrote %d, %v", name, n, err)
		}
		if err := u.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := s.Object(t, name); !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes are not those written", name, len(got))
		}
		h, err := b.Head(t.Context(), name)
		if err != nil || h.Metadata["a"] != "b" || h.ContentType != "text/plain" || h.CRC64NVME == "" || h.Size != int64(size) {
			t.Errorf("%s: got %+v, %v", name, h, err)
		}
	}
}

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b, s := start(t)
	for _, c := range []struct {
		call       string
		left, size int
	}{
		{"PutObject", 0, 10}, {"CreateMultipartUpload", 0, partSize}, {"UploadPart", 0, partSize}, {"UploadPart", 1, partSize + 1},
		{"CompleteMultipartUpload", 0, partSize},
	} {
		b.S3 = buckettest.Failing(s.Client, c.call, c.left)
		u := b.Upload(t.Context(), "key", "text/plain", nil)
		_, _ = u.Write(make([]byte, c.size))
		err := u.Close()
		if archive.NameOf(err) != archive.DestinationUnavailable || !errors.Is(err, buckettest.ErrFault) {
			t.Errorf("%s: got %v", c.call, err)
		}
		if _, again := u.Write([]byte("x")); again != err {
			t.Errorf("%s: a later write: %v", c.call, again)
		}
		if _, there := s.Object(t, "key"); there || len(s.Uploads(t)) != 0 {
			t.Errorf("%s: something is left", c.call)
		}
	}
}
