package main

import (
	"bufio"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
)

const (
	// maxRequest is the size of a .json request in bytes, some 30,000 assets. Unlike a list, it is held in memory.
	maxRequest = 1 << 20
	// maxScan is how much of a list is read to see whether it is for one archive, whose IDs have a few hundred KB. A list
	// that has more around its IDs is taken for a long one.
	maxScan = 64 << 20
)

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

// text makes a reader of an object's text, never of something compressed, which a few bytes could blow up to any size.
func text(body io.Reader, contentEncoding string) (*bufio.Reader, error) {
	if e := strings.Trim(strings.ReplaceAll(contentEncoding, "aws-chunked", ""), ", "); e != "" && e != "identity" {
		return nil, invalid("the object says that it is encoded (Content-Encoding: %.40s); drop plain text, in UTF-8", e)
	}
	r, err := batch.Text(body)
	if err != nil {
		return nil, readError(err)
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
