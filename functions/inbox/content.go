package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

const (
	// maxRequest is the size of a .json request in bytes: four times what Step Functions takes, so that a list that is
	// too long is told what is wrong with it.
	maxRequest = 1 << 20
	// maxLine is the size of a line, or of a CSV record, in bytes.
	maxLine = 64 << 10
	// maxScan is how much of a list is read to find the IDs of one archive, which have a few hundred KB. A list that has
	// not shown them by then is made of something else.
	maxScan = 64 << 20
)

// magic are the first bytes of what people drop instead of text.
var magic = []struct{ bytes, name string }{
	{"\x1f\x8b", "compressed (gzip)"},
	{"PK\x03\x04", "a ZIP file or a workbook"},
	{"\x28\xb5\x2f\xfd", "compressed (zstd)"},
	{"BZh", "compressed (bzip2)"},
	{"\xfd7zXZ", "compressed (xz)"},
	{"\xff\xfe", "text in UTF-16"},
	{"\xfe\xff", "text in UTF-16"},
}

func invalid(format string, args ...any) error {
	return archive.RequestInvalid{Failure: archive.Because(nil, format, args...)}
}

// text makes a reader of an object's text: without a byte order mark, and never of something compressed, which a few
// bytes could blow up to any size.
func text(body io.Reader, contentEncoding string) (*bufio.Reader, error) {
	r := bufio.NewReaderSize(body, maxLine)
	start, err := r.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, broken(err)
	}
	for _, m := range magic {
		if strings.HasPrefix(string(start), m.bytes) {
			return nil, invalid("the object is %s; drop plain text, in UTF-8", m.name)
		}
	}
	if e := strings.TrimPrefix(contentEncoding, "aws-chunked"); e != "" && e != "identity" {
		return nil, invalid("the object says that it is encoded (Content-Encoding: %.40s); drop plain text, in UTF-8", e)
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	return r, nil
}

// broken is a body that broke off: S3 has more of it.
func broken(err error) error { return transient{err} }

// readRequest reads a .json object.
func readRequest(r io.Reader) (archive.Request, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	switch {
	case err != nil:
		return archive.Request{}, broken(err)
	case len(raw) > maxRequest:
		return archive.Request{}, invalid("the request is larger than %d bytes; a long list of assets goes into a .csv, "+
			".jsonl or .txt object", maxRequest)
	}
	return archive.ParseRequest(raw)
}
