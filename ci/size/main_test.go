package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTooLong(t *testing.T) {
	t.Parallel()
	function := func(lines int) string { return "func f() {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	table := "package p\n\nfunc f() {\n\t_ = []int{\n" + strings.Repeat("\t\t1,\n", 70) + "\t}\n}\n"
	for name, c := range map[string]struct {
		source string
		suffix string
		want   []string
	}{
		"a function of the limit": {"package p\n\n" + function(60), ".go", nil},
		"a longer one":            {"package p\n\n" + function(61), ".go", []string{"f has 61 lines"}},
		"a method":                {"package p\n\ntype t int\n\n" + strings.Replace(function(61), "func ", "func (t) ", 1), ".go", []string{"f has 61 lines"}},
		"a table in a test":       {table, "_test.go", nil},
		"a table elsewhere":       {table, ".go", []string{"f has 74 lines"}},
		"a file of the limit":     {"package p\n" + strings.Repeat("// x\n", 398), ".go", nil},
		"a longer file":           {"package p\n" + strings.Repeat("// x\n", 400), ".go", []string{"has 401 lines"}},
	} {
		path := filepath.Join(t.TempDir(), "p"+c.suffix)
		if err := os.WriteFile(path, []byte(c.source), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := tooLong(path)
		if err != nil || len(got) != len(c.want) || len(got) > 0 && !strings.Contains(got[0], c.want[0]) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if _, err := tooLong("missing.go"); err == nil {
		t.Error("a file that is not there is no error")
	}
}
