package transfer

import "testing"

// FuzzAdopt: whatever S3 lists, a part is taken over only with exactly the size of its place.
func FuzzAdopt(f *testing.F) {
	f.Add(int64(20<<20), int64(5), []byte{1, 8, 2, 5, 3, 5, 4, 2})
	f.Add(int64(-1), int64(16), []byte{1, 8, 2, 16, 4, 16})
	f.Add(int64(8<<20), int64(8), []byte{1, 8, 255, 8})
	f.Fuzz(func(t *testing.T, size, partMiB int64, raw []byte) {
		if partMiB < 5 || partMiB > 5120 || size > maxObjectSize || size < -1 {
			return
		}
		l := layout{size: size, first: firstRange, part: partMiB * mib}
		if size >= 0 {
			var err error
			if l, err = newLayout(size, partMiB*mib); err != nil {
				return
			}
		}
		listed := map[int]part{}
		for i := 0; i+1 < len(raw); i += 2 {
			listed[int(raw[i])] = part{done: true, etag: "e", size: int64(raw[i+1]) * mib, crc: uint64(i)}
		}
		parts := adopt(listed, l)
		if size >= 0 && len(parts) != l.count() {
			t.Fatalf("%d parts; the layout has %d", len(parts), l.count())
		}
		for i, p := range parts {
			if p.done && (p.size != l.length(i+1) || listed[i+1] != p) {
				t.Errorf("part %d of %d bytes is taken over; its place has %d", i+1, p.size, l.length(i+1))
			}
		}
		u := upload{layout: l, parts: parts}
		if n, bytes := u.done(); n == len(parts) && size >= 0 && bytes != size {
			t.Errorf("all parts are done with %d of %d bytes", bytes, size)
		}
	})
}
