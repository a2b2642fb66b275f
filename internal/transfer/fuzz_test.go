package transfer

import "testing"

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes=0-1/2", "", "bytes 0-9/10\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, err := parseContentRange(header)
		if err != nil {
			return
		}
		if c.from > c.to || c.size >= 0 && c.to >= c.size || c.from < -1 || c.from == -1 && c.size < 0 {
			t.Errorf("%q is taken for %+v", header, c)
		}
	})
}

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
