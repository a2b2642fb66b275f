package transfer

import (
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

func TestLayoutKeepsS3sLimits(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1, firstRange, firstRange + 1, gib, 20 * gib, 300 * gib, 320 * gib, 1 << 40, maxObjectSize} {
		for _, wanted := range []int64{0, minPartSize, 64 * mib, maxPartSize} {
			l, err := newLayout(size, wanted)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			n := l.count()
			if n > maxDataParts || l.part < minPartSize || l.part > maxPartSize || l.part%mib != 0 {
				t.Errorf("%d bytes: %d parts of %d", size, n, l.part)
			}
			for _, i := range []int{1, 2, n - 1, n} {
				if i < 1 || i > n {
					continue
				}
				from, to := l.bounds(i)
				if i < n && to-from < minPartSize || to <= from || i == 1 && from != 0 || i == n && to != size {
					t.Errorf("%d bytes: part %d of %d is [%d, %d)", size, i, n, from, to)
				}
			}
		}
	}
	if l, _ := newLayout(gib, 0); l.part != 8*mib || l.count() != 128 {
		t.Errorf("1 GiB: %d parts of %d", l.count(), l.part)
	}
	if _, err := newLayout(maxObjectSize+1, 0); err == nil || err.(*Error).Kind != KindTooLarge {
		t.Errorf("too large: %v", err)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	// perConnection brings a rate for each range, up to a ceiling for all.
	run := func(most, steps int, perConnection, ceiling float64) *throttle {
		th := newThrottle(most)
		for range steps {
			rate := min(float64(th.limit)*perConnection, ceiling)
			th.observe(int64(rate*observeEvery.Seconds()), observeEvery, true)
		}
		return th
	}
	if th := run(64, 10, 25e6, 1e12); th.limit != 64 { // within two seconds
		t.Errorf("a source limited for each connection gets %d ranges; want all 64", th.limit)
	}
	if th := run(64, 200, 25e6, 300e6); th.limit > 24 {
		t.Errorf("a source limited as a whole gets %d ranges; 16 are enough", th.limit)
	}
	if th := run(64, 200, 300e6, 300e6); th.limit > firstConcurrency+firstConcurrency/2 {
		t.Errorf("a source that one range exhausts gets %d ranges", th.limit)
	}
	if th := run(3, 30, 25e6, 1e12); th.limit != 3 {
		t.Errorf("limit %d; 3 are allowed", th.limit)
	}
	th := newThrottle(64)
	th.pushedBack()
	th.pushedBack() // of the same moment
	if th.limit != firstConcurrency/2 {
		t.Errorf("limit %d after being pushed back", th.limit)
	}
	for range 100 {
		th.observe(0, observeEvery, false)
		th.pushedBack()
	}
	if th.limit != 1 {
		t.Errorf("limit %d after being pushed back for long; want 1", th.limit)
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	t.Parallel()
	tr := newTransferer(t, &hookedS3{}, Options{})
	good := Object{Bucket: "b", Key: "k", Owner: "o"}
	for name, change := range map[string]func(*Object){
		"no bucket": func(o *Object) { o.Bucket = "" }, "no owner": func(o *Object) { o.Owner = "" }, "long key": func(o *Object) { o.Key = strings.Repeat("k", 1025) },
		"owner beyond ASCII": func(o *Object) { o.Owner = "ö" },
	} {
		o := good
		change(&o)
		_, err := tr.Run(t.Context(), "https://cdn.scenario.com/", o)
		if e, ok := err.(*Error); !ok || e.Kind != KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if err := tr.Abort(t.Context(), o); err == nil {
			t.Errorf("%s: abort takes it", name)
		}
	}
}

func TestDispositionBeyondASCII(t *testing.T) {
	t.Parallel()
	if d := (&Object{Key: "a/h\u00e9ros \"1\".zip"}).disposition(); d != "attachment; filename*=utf-8''h%C3%A9ros%20%221%22.zip" {
		t.Errorf("disposition %q", d)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	ident := source.Identity{Size: 123, ETag: `"a"`}
	for _, size := range []int64{minPartSize, 8 * mib, maxPartSize} {
		l := newLabel(sourceLabel(ident, size))
		if got, ok := partSizeOf(l, ident); !ok || got != size {
			t.Errorf("part size %d is read as %d, %v", size, got, ok)
		}
		if _, ok := partSizeOf(l, source.Identity{Size: 124, ETag: `"a"`}); ok {
			t.Error("the label of another source is taken")
		}
		l.size++
		if _, ok := partSizeOf(l, ident); ok {
			t.Error("a label of another length is taken")
		}
	}
	a, b := &Object{Bucket: "b", Key: "k", Owner: "x"}, &Object{Bucket: "b", Key: "k", Owner: "y"}
	if newLabel(a.ownerLabel()) == newLabel(b.ownerLabel()) {
		t.Error("two owners have one label")
	}
}
