package archive_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/errors.md has a row for each error that an execution can end with: those of this package, and those that the state
// machines name themselves. It has no other.
func TestEveryErrorIsDocumented(t *testing.T) {
	var sources []string
	for _, pattern := range []string{"errors.go", "../../statemachine/*.asl.json", "../../docs/errors.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, string(text))
		}
	}
	doc, sources := sources[len(sources)-1], sources[:len(sources)-1]
	var want, got []string
	for _, match := range regexp.MustCompile(`(?m)^\t\w+ +Name = "(\w+)"|"Error": "(\w+)"`).FindAllStringSubmatch(strings.Join(sources, "\n"), -1) {
		want = append(want, match[1]+match[2])
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*)\\|").FindAllStringSubmatch(doc, -1) {
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			got = append(got, name[1])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if want = slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("docs/errors.md has rows for\n%v\nand the code and the definitions name\n%v", got, want)
	}
}
