package transfer

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

const crcHeader = "x-amz-checksum-crc64nvme"

// withTrailer sends a part's body in S3's aws-chunked form, with the checksum behind the bytes, as the SDK itself does
// for a body that cannot rewind ("STREAMING-UNSIGNED-PAYLOAD-TRAILER",
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html). The difference: the checksum is the
// one that the reader has made anyway. The SDK would compute CRC64NVME a second time, with hash/crc64, which costs more
// than the TLS of the connection. If a version of the SDK names its steps differently, every part fails at once.
func withTrailer(length int64, sum func() uint64) func(*s3.Options) {
	return func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			if _, err := stack.Finalize.Remove("addInputChecksumTrailer"); err != nil {
				return err
			}
			_, err := stack.Finalize.Swap("AWSChecksum:ComputeInputPayloadChecksum", &trailer{length, sum})
			return err
		})
	}
}

type trailer struct {
	length int64
	sum    func() uint64
}

func (*trailer) ID() string { return "transfer:checksumTrailer" }

func (t *trailer) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok || !req.IsHTTPS() {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("a streamed part needs TLS")
	}
	body := newChunkedBody(req.GetStream(), t.length, t.sum)
	req, err := req.SetStream(body)
	if err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	req.ContentLength = body.encodedLength()
	req.Header.Add("Content-Encoding", "aws-chunked")
	req.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(t.length, 10))
	req.Header.Set("X-Amz-Trailer", crcHeader)
	in.Request = req
	return next.HandleFinalize(v4.SetPayloadHash(ctx, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), in)
}

// chunkedBody frames the data as one chunk and its trailer. It ends in an error when the data does: S3 must not see the
// last frame of a body that is not whole.
type chunkedBody struct {
	frame *strings.Reader // what to send before going on
	data  io.Reader
	left  int64
	sum   func() uint64
	done  bool
}

func newChunkedBody(data io.Reader, length int64, sum func() uint64) *chunkedBody {
	frame := strings.NewReader(strconv.FormatInt(length, 16) + "\r\n")
	return &chunkedBody{data: data, left: length, sum: sum, frame: frame}
}

func trailerOf(sum uint64) string {
	return "\r\n0\r\n" + crcHeader + ":" + checksum.Text(sum) + "\r\n\r\n"
}

func (b *chunkedBody) encodedLength() int64 {
	return int64(b.frame.Len()) + b.left + int64(len(trailerOf(0)))
}

func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.frame.Len() > 0 {
		return b.frame.Read(p)
	}
	if b.done {
		return 0, io.EOF
	}
	if b.left == 0 {
		b.done, b.frame = true, strings.NewReader(trailerOf(b.sum()))
		return b.frame.Read(p)
	}
	n, err := b.data.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case err == io.EOF && b.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF:
		err = nil
	}
	return n, err
}
