package source

import "testing"

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes=0-1/2", "", "bytes 0-9/10\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, err := ParseContentRange(header)
		if err != nil {
			return
		}
		if c.From > c.To || c.Size >= 0 && c.To >= c.Size || c.From < -1 || c.From == -1 && c.Size < 0 {
			t.Errorf("%q is taken for %+v", header, c)
		}
	})
}
