package transfer

import (
	"errors"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestCRCAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	if got := crcUpdate(0, []byte("123456789")); got != 0xae8b14860a799888 { // the catalogue's check value
		t.Errorf("check value %x", got)
	}
	table := crc64.MakeTable(crcPoly)
	data := make([]byte, 24<<10+17)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	for _, n := range []int{0, 1, 7, 8, 9, 127, 128, 129, 8191, 8192, 8193, len(data)} {
		if got, want := crcUpdate(0, data[:n]), crc64.Checksum(data[:n], table); got != want {
			t.Errorf("%d bytes: %x; want %x", n, got, want)
		}
		whole := crc64.Checksum(data, table)
		first, second := crcUpdate(0, data[:n]), crcUpdate(0, data[n:])
		if got := crcCombine(first, second, int64(len(data)-n)); got != whole {
			t.Errorf("combined at %d: %x; want %x", n, got, whole)
		}
		if got := crcUpdate(first, data[n:]); got != whole {
			t.Errorf("continued at %d: %x; want %x", n, got, whole)
		}
	}
	if got, ok := parseCRC(crcText(1)); !ok || got != 1 {
		t.Errorf("text form: %x, %v", got, ok)
	}
	for _, bad := range []string{"", "AAAA", "!", "AAAAAAAAAAAA"} {
		if _, ok := parseCRC(bad); ok {
			t.Errorf("%q is taken for a checksum", bad)
		}
	}
}

func BenchmarkCRC(b *testing.B) {
	data := make([]byte, 32<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		crcUpdate(0, data)
	}
}

func TestParseContentRange(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]contentRange{
		"bytes 0-0/1": {0, 0, 1}, "bytes 5-9/10": {5, 9, 10}, "bytes 5-9/*": {5, 9, -1}, "bytes */10": {-1, -1, 10},
		"BYTES 0-8388607/50000000000000": {0, 8388607, 50000000000000},
	} {
		if got, err := parseContentRange(in); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "bytes", "bytes 0-9", "bytes 9-0/10", "bytes 0-10/10", "bytes -5/10", "bytes 0-/10", "bytes +0-9/10", "bytes 0-9/-1",
		"items 0-9/10", "bytes */*", "bytes 0-9/99999999999999999999", "bytes=0-9/10", "bytes 0-9/10,20-29/10",
	} {
		if got, err := parseContentRange(in); err == nil {
			t.Errorf("%q is taken for %v", in, got)
		}
	}
}

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

func TestGuardURL(t *testing.T) {
	t.Parallel()
	strict := guard{hosts: DefaultHosts}
	loose := guard{hosts: DefaultHosts, loopback: true}
	for in, want := range map[string][2]bool{
		"https://cdn.cloud.scenario.com/a": {true, true}, "https://scenario.com/": {true, true}, "https://d1.cloudfront.net/a?b": {true, true},
		"https://x.s3.amazonaws.com:443/": {true, true}, "https://CDN.Scenario.COM./": {true, true},
		"http://cdn.cloud.scenario.com/a": {false, false}, "https://cloudfront.net/": {false, false}, "https://evilscenario.com/": {false, false},
		"https://scenario.com.evil.org/": {false, false}, "https://scenario.com:8443/": {false, false}, "https://user:pw@scenario.com/": {false, false},
		"ftp://scenario.com/": {false, false}, "https://": {false, false}, "https://169.254.169.254/": {false, false}, "file:///etc/passwd": {false, false},
		"http://127.0.0.1:9090/": {false, true}, "http://localhost:1/": {false, true}, "http://[::1]:1/": {false, true},
		"http://[::ffff:127.0.0.1]/": {false, true}, "https://127.0.0.1/": {false, true}, "http://10.0.0.1/": {false, false},
		"http://u@localhost/": {false, false},
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range []guard{strict, loose} {
			if err := g.checkURL(u); (err == nil) != want[i] {
				t.Errorf("%s, loopback %v: %v", in, g.loopback, err)
			}
		}
	}
}

func TestGuardAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]bool{
		"52.84.1.1:443": {true, true}, "[2600:9000::1]:443": {true, true},
		"127.0.0.1:80": {false, true}, "[::1]:80": {false, true}, "[::ffff:127.0.0.1]:80": {false, true}, "127.8.8.8:80": {false, true},
		"10.1.2.3:443": {}, "172.16.0.1:443": {}, "192.168.1.1:443": {}, "169.254.169.254:80": {}, "[fd00:ec2::254]:80": {},
		"[fe80::1%eth0]:80": {}, "100.64.0.1:443": {}, "0.0.0.0:80": {}, "[::]:80": {}, "224.0.0.1:80": {}, "[ff02::1]:80": {},
		"255.255.255.255:80": {}, "[::ffff:10.0.0.1]:80": {}, "[64:ff9b::a00:1]:80": {}, "[2002:a00:1::]:80": {}, "[fec0::1]:80": {},
		"198.18.0.1:80": {}, "192.0.2.1:80": {}, "[::7f00:1]:80": {}, "host:80": {}, "nonsense": {},
	} {
		for i, g := range []guard{{}, {loopback: true}} {
			if err := g.control(t.Context(), "tcp", address, nil); (err == nil) != want[i] {
				t.Errorf("%s, loopback %v: %v", address, g.loopback, err)
			}
		}
	}
}

// A name on the list that leads inwards is stopped at the dialer, whatever DNS says.
func TestGuardStopsAtTheDialer(t *testing.T) {
	t.Parallel()
	s := &source{client: newSourceClient(guard{hosts: []string{"localhost"}}, 1, nil), original: "https://localhost/a?Signature=SECRET",
		limits: slowness{stall: time.Minute, window: time.Minute}}
	_, err := s.openWhole(t.Context())
	wantKind(t, err, KindForbidden)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-3": 0, "soon": 0, "99999999999": time.Hour,
		"Thu, 01 Jan 2026 00:00:30 GMT": 30 * time.Second, "Wed, 31 Dec 2025 23:59:30 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %v; want %v", in, got, want)
		}
	}
}

func TestErrorsNeverShowTheURL(t *testing.T) {
	t.Parallel()
	inner := &url.Error{Op: "Get", URL: "https://x/?Signature=SECRET", Err: errors.New("broken")}
	for _, err := range []error{inner, fmt.Errorf("wrapped: %w", inner), &url.Error{URL: "SECRET", Err: inner}} {
		e := asError("read source", KindSourceUnavailable, err)
		if strings.Contains(e.Error(), "SECRET") || !strings.Contains(e.Error(), "broken") {
			t.Errorf("error %q", e)
		}
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

func TestNewAndRunRefuseNonsense(t *testing.T) {
	t.Parallel()
	if _, err := New(nil, Options{}); err == nil {
		t.Error("no client is taken")
	}
	for _, o := range []Options{{PartSize: 1}, {PartSize: maxPartSize + 1}, {Concurrency: -1}, {MaxMemory: -1}} {
		if _, err := New(&hookedS3{}, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	tr := newTransferer(t, &hookedS3{}, Options{})
	good := Object{Bucket: "b", Key: "k", Owner: "o"}
	for name, change := range map[string]func(*Object){
		"no bucket": func(o *Object) { o.Bucket = "" }, "no owner": func(o *Object) { o.Owner = "" }, "long key": func(o *Object) { o.Key = strings.Repeat("k", 1025) },
		"owner beyond ASCII": func(o *Object) { o.Owner = "ö" }, "metadata beyond ASCII": func(o *Object) { o.Metadata = map[string]string{"k": "ö"} },
		"taken metadata": func(o *Object) { o.Metadata = map[string]string{"Transfer-Owner": "x"} }, "line break": func(o *Object) { o.ContentType = "a\nb" },
		"much metadata": func(o *Object) { o.Metadata = map[string]string{"k": strings.Repeat("v", 2000)} },
		"many tags": func(o *Object) {
			o.Tags = map[string]string{}
			for i := range 11 {
				o.Tags[fmt.Sprint(i)] = ""
			}
		},
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
	if d := disposition("h\u00e9ros.zip"); !strings.Contains(d, "filename*=utf-8''h%C3%A9ros.zip") {
		t.Errorf("disposition %q", d)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	ident := identity{Size: 123, ETag: `"a"`}
	for _, size := range []int64{minPartSize, 8 * mib, maxPartSize} {
		l := newLabel(sourceLabel(ident, size))
		if got, ok := partSizeOf(l, ident); !ok || got != size {
			t.Errorf("part size %d is read as %d, %v", size, got, ok)
		}
		if _, ok := partSizeOf(l, identity{Size: 124, ETag: `"a"`}); ok {
			t.Error("the label of another source is taken")
		}
		l.size++
		if _, ok := partSizeOf(l, ident); ok {
			t.Error("a label of another length is taken")
		}
	}
	a, b := &run{o: Object{Bucket: "b", Key: "k", Owner: "x"}}, &run{o: Object{Bucket: "b", Key: "k", Owner: "y"}}
	if newLabel(a.ownerLabel()) == newLabel(b.ownerLabel()) {
		t.Error("two owners have one label")
	}
}

func TestBudgetEnds(t *testing.T) {
	t.Parallel()
	e := &Error{Kind: KindSourceUnavailable, temporary: true}
	b := newBudget(time.Nanosecond, nil)
	for i := range retryTokens {
		if err := b.wait(t.Context(), e, 0); err != nil {
			t.Fatalf("retry %d: %v", i, err)
		}
	}
	if err := b.wait(t.Context(), e, 0); err == nil {
		t.Error("the budget has no end")
	}
	b.earn(10 * bytesPerToken)
	if err := b.wait(t.Context(), e, 0); err != nil {
		t.Errorf("progress earns nothing: %v", err)
	}
	if err := b.wait(t.Context(), e, maxAttempts-1); err == nil {
		t.Error("attempts have no end")
	}
}
