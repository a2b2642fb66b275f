package executions

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestName(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	for _, c := range []struct{ name, readable, prefix string }{
		{"plain", "order-17", "order-17-"},
		{"file name", "heroes and villains (final).csv", "heroes-and-villains-final-csv-"},
		{"longest", strings.Repeat("a", 300), strings.Repeat("a", 48) + "-"},
		{"nothing", "", "archive-"},
		{"nothing readable", "日本語", "archive-"},
		{"partly readable", "héros", "h-ros-"},
		{"path and NUL", "../../etc/\x00passwd", "etc-passwd-"},
		{"invalid UTF-8", "a\xff\xfeb", "a-b-"},
	} {
		got := Name(c.readable, "id")
		if !strings.HasPrefix(got, c.prefix) || !allowed.MatchString(got) || len(got) != len(c.prefix)+26 {
			t.Errorf("%s: got %q, want %q and 26 characters", c.name, got, c.prefix)
		}
		if got != Name(c.readable, "id") {
			t.Errorf("%s: not the same twice", c.name)
		}
	}
}

func TestNameTellsIdentitiesApart(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, identity := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"abc", ""}, {"", "abc"}, {}, {""}} {
		n := Name("x", identity...)
		if other, ok := seen[n]; ok {
			t.Errorf("%q and %q have one name", identity, other)
		}
		seen[n] = identity
	}
}

func TestUniqueName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("", 3600))
	a, b := UniqueName(at), UniqueName(at)
	if a == b {
		t.Error("not unique")
	}
	if !regexp.MustCompile(`^20260102T140405Z-[a-z0-9]{12}$`).MatchString(a) {
		t.Errorf("got %q", a)
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "A-1_b.c+d=e@f!g()'", strings.Repeat("é", 80), "日本語"} {
		if !ValidName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", strings.Repeat("a", 81), "a b", "a/b", "a:b", "a*", "a\x00", "a\u0085", "a\xff",
		"<", "%41", `a\b`, "a,b", "\uffff"} {
		if ValidName(name) {
			t.Errorf("%q is taken", name)
		}
	}
}
