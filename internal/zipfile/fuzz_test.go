package zipfile

import (
	"errors"
	"testing"
)

func FuzzRead(f *testing.F) {
	for _, c := range cases(f) {
		if len(c.data) < 8<<10 {
			f.Add(c.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		reads := 0
		open := counting(data, &reads)
		d, err := Read(t.Context(), open, int64(len(data)))
		if reads > maxRead+3*maxGaps {
			t.Errorf("read %d times", reads)
		}
		if e := (*Error)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("error %v of a file that does not fail", err)
		}
		if err != nil {
			return
		}
		n := int64(0)
		err = d.Walk(t.Context(), open, func(e *Entry) error {
			if n++; e.Offset < 0 || e.end() > d.Start || e.Size < 0 || e.Compressed < 0 {
				t.Errorf("%+v is not in an archive whose directory is at %d", e, d.Start)
			}
			_, _ = e.UnicodePath()
			return nil
		})
		if err != nil || n != d.Entries {
			t.Errorf("%d of %d entries, %v", n, d.Entries, err)
		}
	})
}

// FuzzLocal: a local header is found wherever it is, and nothing else is taken for one.
func FuzzLocal(f *testing.F) {
	plain := zipOf(f, named("a", "b")...)
	f.Add([]byte("MZ"), plain)
	f.Add([]byte("PK\x03\x04PK\x03\x04"), plain)
	f.Fuzz(func(t *testing.T, before, local []byte) {
		at, found := localHeaderIn(append(before[:len(before):len(before)], local...))
		l, ok := ParseLocal(local)
		if ok && l.HeaderLen() < LocalHeaderLen {
			t.Errorf("a header of %d bytes", l.HeaderLen())
		}
		if ok && likely(local) && (!found || at > len(before)) {
			t.Errorf("the header at %d is not found: %d, %v", len(before), at, found)
		}
	})
}
