package transfer

import (
	"fmt"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

// layout says which bytes each part holds: part 1 has the first request's bytes, all others part bytes, the last one
// the rest. Sizes of parts are whole MiB, so that a label can name them.
type layout struct {
	size  int64 // of the archive; -1 while unknown
	first int64
	part  int64
}

// newLayout chooses the part size for an archive of size bytes; wanted overrides the choice (0: none) as far as S3's
// limits allow.
func newLayout(size, wanted int64) (layout, error) {
	if size > maxObjectSize {
		return layout{}, &Error{Op: "plan", Kind: KindTooLarge,
			Reason: fmt.Sprintf("%d bytes; an S3 object holds %d", size, maxObjectSize)}
	}
	part := wanted
	if part == 0 {
		part = min(max(size/chosenParts, smallestChosenPart), largestChosenPart)
	}
	part = max(part, minPartSize, ceilDiv(size-firstRange, maxDataParts-1))
	part = ceilDiv(part, mib) * mib
	if part > maxPartSize {
		return layout{}, invalid("part size %d is above S3's %d", part, maxPartSize)
	}
	return layout{size: size, first: firstRange, part: part}, nil
}

// count is the number of parts.
func (l layout) count() int {
	if l.size <= l.first {
		return 1
	}
	return 1 + int(ceilDiv(l.size-l.first, l.part))
}

// bounds are the first byte of part n (from 1) and the byte after its last.
func (l layout) bounds(n int) (from, to int64) {
	if n > 1 {
		from = l.first + int64(n-2)*l.part
	}
	to = l.first + int64(n-1)*l.part
	if l.size >= 0 {
		to = min(to, l.size)
	}
	return from, to
}

func (l layout) length(n int) int64 {
	from, to := l.bounds(n)
	return to - from
}

func ceilDiv(a, b int64) int64 {
	if a <= 0 {
		return 0
	}
	return (a + b - 1) / b
}

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

// adopt takes those listed parts over that are parts of this layout; all others are sent again.
func adopt(listed map[int]part, l layout) []part {
	count := 0
	if l.size >= 0 {
		count = l.count()
	} else { // as far as whole parts go
		for count < maxDataParts && listed[count+1].size == l.length(count+1) {
			count++
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
