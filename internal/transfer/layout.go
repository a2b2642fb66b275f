package transfer

import "fmt"

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
