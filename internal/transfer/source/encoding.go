package source

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// startBytes is how much of an archive is looked at to see what it is.
const startBytes = 64

// encodingOf is what an answer's Content-Encoding says beyond nothing. aws-chunked is how S3's clients send a body: some
// store it with the object, whose bytes it says nothing of.
func encodingOf(h http.Header) string {
	var found []string
	for name := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "identity", "aws-chunked":
		case "x-gzip":
			found = append(found, "gzip")
		default:
			found = append(found, name)
		}
	}
	return strings.Join(found, ", ")
}

// plainStart reports whether an archive begins like that, whatever its encoding is said to be: many objects are stored with
// an encoding that their bytes do not have. A ZIP begins with PK; one that extracts itself with a program or a script.
func plainStart(start []byte, encoding string) bool {
	return encoding == "" || bytes.HasPrefix(start, []byte("PK")) || bytes.HasPrefix(start, []byte("MZ")) ||
		bytes.HasPrefix(start, []byte("#!")) || bytes.HasPrefix(start, []byte("\x7fELF"))
}

// decode gives the archive's bytes out of an answer's.
func decode(body io.Reader, start []byte, encoding string) (decoded io.Reader, plain bool, err error) {
	body = io.MultiReader(bytes.NewReader(start), body)
	if plainStart(start, encoding) {
		return body, true, nil
	}
	if encoding != "gzip" {
		return nil, false, failure.New(op, failure.NoArchive,
			"the archive's host encodes it (%s) although it was asked not to; only gzip is read", failure.Bounded(encoding, 80))
	}
	z, err := gzip.NewReader(body)
	if err != nil {
		return nil, false, gzipError(err)
	}
	return gzipBody{z}, false, nil
}

type gzipBody struct{ *gzip.Reader }

func (b gzipBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	return n, gzipError(err)
}

// gzipError keeps io.EOF for the clean end.
func gzipError(err error) error {
	var damaged flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errBroken
	case errors.As(err, &damaged), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return odd(failure.NoArchive, "the archive's host says that it encodes it (gzip), and the encoding is damaged")
	}
	return err
}

// looksLikePage: HTML, XML and JSON begin so.
func looksLikePage(start []byte) bool {
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	start = bytes.TrimLeft(start, " \t\r\n")
	return len(start) > 0 && (start[0] == '<' || start[0] == '{' || start[0] == '[')
}
