package transfer

import "github.com/scenario-archive/scenario-archive/internal/checksum"

// upload is a multipart upload in progress and what is known of its parts.
type upload struct {
	id     string
	layout layout
	parts  []part // by number-1; grows when the size is not known
}

// part is a part that S3 has, by its own answer or listing.
type part struct {
	done bool
	etag string
	crc  uint64
	size int64
}

func newUpload(id string, l layout) *upload {
	return &upload{id: id, layout: l, parts: make([]part, max(0, l.countKnown()))}
}

// adopt takes those listed parts over that are parts of this layout; all others are sent again.
func adopt(listed map[int]part, l layout) []part {
	count := l.countKnown()
	if count < 0 { // size not known: as far as whole parts go
		for count = 0; count < maxDataParts && listed[count+1].size == l.length(count+1); count++ {
		}
	}
	parts := make([]part, count)
	for i := range parts {
		if p := listed[i+1]; p.done && p.size == l.length(i+1) {
			parts[i] = p
		}
	}
	return parts
}

// countKnown is count, or -1 while the size is not known.
func (l layout) countKnown() int {
	if l.size < 0 {
		return -1
	}
	return l.count()
}

// checksum combines the parts' checksums in order.
func (u *upload) checksum() (c content) {
	for _, p := range u.parts {
		c.crc = checksum.Combine(checksum.NVME, c.crc, p.crc, p.size)
		c.size += p.size
	}
	return c
}

func (u *upload) done() (parts int, bytes int64) {
	for _, p := range u.parts {
		if p.done {
			parts++
			bytes += p.size
		}
	}
	return parts, bytes
}
