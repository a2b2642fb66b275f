package source

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
)

// Identity is what distinguishes this archive from any other. The first answer says it.
type Identity struct {
	Size         int64  // bytes; -1: not known
	ETag         string // strong, with its quotes; "" when there is none
	LastModified string
}

// Strong reports whether two equal identities mean equal bytes.
func (i Identity) Strong() bool { return i.Size >= 0 && i.Validator() != "" }

// Validator is the value for If-Range: the ETag or the time of the last change; "" when there is neither.
func (i Identity) Validator() string {
	if i.ETag != "" {
		return i.ETag
	}
	return i.LastModified
}

// String is a short form for metadata and labels; it does not give the ETag away to a reader who lacks it.
func (i Identity) String() string {
	sum := sha256.Sum256([]byte(strconv.FormatInt(i.Size, 10) + "\n" + i.Validator()))
	return hex.EncodeToString(sum[:16])
}

func newIdentity(h http.Header, size int64) Identity {
	i := Identity{Size: size}
	if etag := h.Get("ETag"); len(etag) > 2 && etag[0] == '"' { // W/"…" promises no equal bytes
		i.ETag = etag
	}
	if _, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		i.LastModified = h.Get("Last-Modified")
	}
	return i
}

// check reports whether an answer to a range is of the same archive.
func (i Identity) check(h http.Header, size int64) error {
	now := newIdentity(h, size)
	switch {
	case size >= 0 && i.Size >= 0 && size != i.Size:
		return changed("%d bytes, was %d", size, i.Size)
	case i.ETag != "" && h.Get("ETag") != "" && now.ETag != i.ETag:
		return changed("another ETag")
	case i.ETag == "" && i.LastModified != "" && now.LastModified != "" && now.LastModified != i.LastModified:
		return changed("another Last-Modified")
	}
	return nil
}
