package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// Every kind of call of S3 fails in every way, once or twice; the archive arrives all the same.
func TestStorageFaultsThatPass(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	small, large := makeZIP(t, 30, 3000, 2), makeZIP(t, 31, int(firstRange)+100_000, 2)
	for _, op := range []string{"head", "create", "label", "part", "complete", "put", "listUploads", "listParts", "get"} {
		for name, f := range map[string]s3test.Fault{
			"SlowDown": s3test.SlowDown, "500": s3test.Internal, "lost answer": s3test.LostAnswer, "cut": s3test.Swallow, "cut in the body": s3test.CutBody,
			"error in a 200": s3test.ErrorIn200, "throttled": s3test.Throttled, "key throttled": s3test.KMSThrottled, "409": s3test.Conflicting,
		} {
			if f == s3test.ErrorIn200 && op != "complete" || f == s3test.Conflicting && op != "complete" && op != "put" || f == s3test.CutBody && op != "part" && op != "put" {
				continue // what S3 does not do
			}
			t.Run(op+"/"+name, func(t *testing.T) {
				t.Parallel()
				content := large
				if op == "put" {
					content = small
				}
				src := newSource(t, content)
				proxy := server.FaultProxy(t, true, s3test.Failing(op, f, 2))
				o := object(server, op+name)
				tr := newTransferer(t, server.Through(t, proxy), fastOptions())
				got, err := tr.Run(testContext(t), src.url(), o)
				if err != nil {
					t.Fatal(err)
				}
				if data, _ := server.Object(t, o.Key); !bytes.Equal(data, content) || got.Entries != 2 {
					t.Errorf("not the archive, or %d entries", got.Entries)
				}
				// CreateMultipartUpload with a lost answer leaves an upload that nobody can know: the next one's work.
				if err := tr.Abort(testContext(t), o); err != nil {
					t.Error(err)
				}
				noUploadsAt(t, server, o.Key)
			})
		}
	}
}

func TestStorageFaultsThatStay(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 32, 14<<20, 2)
	for name, c := range map[string]struct {
		op   string
		f    s3test.Fault
		want Kind
	}{
		"no right to create":   {"create", s3test.Denied, KindStorageRefused},
		"no right to look":     {"head", s3test.Denied, KindStorageRefused},
		"no right to part":     {"part", s3test.Denied, KindStorageRefused},
		"parts fail for ever":  {"part", s3test.Internal, KindStorageUnavailable},
		"throttled for ever":   {"part", s3test.SlowDown, KindStorageUnavailable},
		"completion fails":     {"complete", s3test.Internal, KindStorageUnavailable},
		"completion error 200": {"complete", s3test.ErrorIn200, KindStorageUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := newSource(t, content)
			proxy := server.FaultProxy(t, true, s3test.Failing(c.op, c.f, -1))
			o := object(server, name)
			tr := newTransferer(t, server.Through(t, proxy), fastOptions())
			_, err := tr.Run(testContext(t), src.url(), o)
			wantKind(t, err, c.want)
			noObject(t, server, o.Key)
			if err := newTransferer(t, server.Client, fastOptions()).Abort(testContext(t), o); err != nil && c.op != "head" {
				t.Error(err)
			}
			noUploadsAt(t, server, o.Key)
		})
	}
}

func TestMissingBucket(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 14 << 20} {
		src := newSource(t, makeZIP(t, 33, size, 1))
		_, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), Object{Bucket: "no-such-bucket-here", Key: name, Owner: "me"})
		wantKind(t, err, KindStorageRefused)
	}
}

// lyingS3 answers what a test says.
type lyingS3 struct {
	S3
	part   func(*s3.UploadPartOutput)
	create func(*s3.CreateMultipartUploadOutput)
	inputs chan any
}

func (l *lyingS3) UploadPart(ctx context.Context, in *s3.UploadPartInput, f ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	out, err := l.S3.UploadPart(ctx, in, f...)
	if err == nil && l.part != nil && *in.PartNumber < sourceLabelPart {
		l.part(out)
	}
	return out, err
}

func (l *lyingS3) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, f ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	if l.inputs != nil {
		l.inputs <- *in
	}
	in.ServerSideEncryption, in.SSEKMSKeyId, in.ExpectedBucketOwner = "", nil, nil // versitygw knows neither
	out, err := l.S3.CreateMultipartUpload(ctx, in, f...)
	if err == nil && l.create != nil {
		l.create(out)
	}
	return out, err
}

func TestPartWithAnotherChecksumIsSentAgain(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 34, 14<<20, 1)
	src := newSource(t, content)
	lies := make(chan bool, 1)
	lies <- true
	liar := &lyingS3{S3: server.Client, part: func(out *s3.UploadPartOutput) {
		select {
		case <-lies:
			out.ChecksumCRC64NVME = aws.String("AAAAAAAAAAA=")
		default:
		}
	}}
	got, err := newTransferer(t, liar, fastOptions()).Run(testContext(t), src.url(), object(server, "k"))
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
	if got.Stats.Retries == 0 {
		t.Error("nothing was sent again")
	}
}

func TestEncryptionIsHonoured(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 14 << 20} {
		content := makeZIP(t, 35, size, 1)
		src := newSource(t, content)
		o := object(server, name)
		o.KMSKeyID = "key"
		inputs := make(chan any, 2)
		_, err := newTransferer(t, &lyingS3{S3: server.Client, inputs: inputs}, fastOptions()).Run(testContext(t), src.url(), o)
		wantKind(t, err, KindStorageRefused) // the server says nothing about it: it has not done it
		noObject(t, server, o.Key)
		noUploads(t, server)
		in := (<-inputs).(s3.CreateMultipartUploadInput)
		if in.ServerSideEncryption != types.ServerSideEncryptionAwsKms || aws.ToString(in.SSEKMSKeyId) != "key" {
			t.Errorf("asked for %q with key %q", in.ServerSideEncryption, aws.ToString(in.SSEKMSKeyId))
		}
		honest := &lyingS3{S3: server.Client, create: func(out *s3.CreateMultipartUploadOutput) {
			out.ServerSideEncryption = types.ServerSideEncryptionAwsKms
		}}
		got, err := newTransferer(t, honest, fastOptions()).Run(testContext(t), src.url(), o)
		if err != nil {
			t.Fatal(err)
		}
		wantObject(t, server, name, content, got)
	}
}

// The bucket's owner is asserted in every call: one that forgets it would write into a stranger's bucket.
func TestBucketOwnerGoesWithEveryCall(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	missing := make(chan string, 100)
	seen := make(chan string, 1000)
	proxy := server.FaultProxy(t, true, func(op string, r *http.Request) s3test.Fault {
		seen <- op
		if r.Header.Get("X-Amz-Expected-Bucket-Owner") != "111122223333" {
			missing <- op
		}
		return s3test.NoFault
	})
	for name, size := range map[string]int{"small": 2000, "in parts": 14 << 20} {
		src := newSource(t, makeZIP(t, 36, size, 1))
		o := object(server, name)
		o.BucketOwner = "111122223333"
		_, err := newTransferer(t, server.Through(t, proxy), fastOptions()).Run(testContext(t), src.url(), o)
		if err != nil {
			t.Log(err) // a server that knows accounts may refuse
		}
	}
	close(missing)
	for op := range missing {
		t.Errorf("%s goes without the bucket's owner", op)
	}
	if len(seen) < 3 {
		t.Errorf("%d requests seen", len(seen))
	}
}

func TestChunkedBodyFramesAndRefusesShortData(t *testing.T) {
	t.Parallel()
	sum := func() uint64 { return crc64nvme.Update(0, []byte("hello")) }
	whole := newChunkedBody(bytes.NewReader([]byte("hello")), 5, sum)
	length := whole.encodedLength()
	got, err := io.ReadAll(whole)
	want := fmt.Sprintf("5\r\nhello\r\n0\r\nx-amz-checksum-crc64nvme:%s\r\n\r\n", checksum.Text(sum()))
	if err != nil || string(got) != want || length != int64(len(want)) {
		t.Errorf("%q (%d bytes announced), %v; want %q", got, length, err, want)
	}
	short := newChunkedBody(bytes.NewReader([]byte("hell")), 5, sum)
	if got, err := io.ReadAll(short); err != io.ErrUnexpectedEOF || bytes.Contains(got, []byte("crc64")) {
		t.Errorf("short data: %q, %v", got, err)
	}
}

// losingS3 ends the upload when it is to be completed, as S3 may after a conflict.
type losingS3 struct {
	S3
	times int
}

func (l *losingS3) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, f ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	if l.times == 0 {
		return l.S3.CompleteMultipartUpload(ctx, in, f...)
	}
	l.times--
	if _, err := l.S3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId}); err != nil {
		return nil, err
	}
	return nil, &smithy.GenericAPIError{Code: "ConditionalRequestConflict", Message: "a conflict"}
}

// After a conflict at completion S3 may not know the upload any more: then the archive is moved again, once in a Run.
func TestUploadThatIsLostAtCompletion(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := makeZIP(t, 37, 14<<20, 1)
	for times, fails := range map[int]bool{1: false, 3: true} {
		src := newSource(t, content)
		key := fmt.Sprint("k", times)
		got, err := newTransferer(t, &losingS3{server.Client, times}, fastOptions()).Run(testContext(t), src.url(), object(server, key))
		if fails {
			wantKind(t, err, KindStorageUnavailable)
			noObject(t, server, key)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		wantObject(t, server, key, content, got)
	}
	noUploads(t, server)
}
