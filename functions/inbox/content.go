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
	// maxRequest is the size of a .json request in bytes, some 30,000 assets. Unlike a list, it is held in memory.
	maxRequest = 1 << 20
	// maxScan is how much of a list is read to see whether it is for one archive, whose IDs have a few hundred KB. A list
	// that has more around its IDs is taken for a long one.
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
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

// text makes a reader of an object's text: without a byte order mark, and never of something compressed, which a few
// bytes could blow up to any size.
func text(body io.Reader, contentEncoding string) (*bufio.Reader, error) {
	r := bufio.NewReaderSize(body, 64<<10)
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

// readObject reads a .json object.
func readObject(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	switch {
	case err != nil:
		return nil, broken(err)
	case len(raw) > maxRequest:
		return nil, invalid("the request is larger than %d bytes; a long list of assets goes into a .csv, .jsonl or .txt "+
			"object", maxRequest)
	}
	return raw, nil
}
