package scenariotest

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"
)

const (
	extension       = ".png"
	defaultTemplate = "<assetId>"
	maxFileName     = 128 // with the extension (API reference)
	maxFolderName   = 64
)

var placeholder = regexp.MustCompile(`[-_ .]?<([A-Za-z]+)>`)

// names gives each asset's path in the archive: by the template, safe to unpack anywhere, and each only once.
func names(assets []asset, template string, flat bool) []string {
	template = cmp.Or(template, defaultTemplate)
	taken := make(map[string]bool, len(assets))
	result := make([]string, len(assets))
	for i, a := range assets {
		result[i] = unique(taken, a.path(template, flat))
	}
	return result
}

// path fills the template. A slash in it makes a folder; where there is none, files are grouped by what they were issued
// from. Flat: no folders at all.
func (a asset) path(template string, flat bool) string {
	segments := strings.Split(a.fill(template), "/")
	last := len(segments) - 1
	file := safeName(segments[last])
	file = shorten(file, maxFileName-len(extension)) + extension
	if flat {
		return file
	}
	folders := segments[:last]
	if last == 0 {
		folders = []string{a.Folder}
	}
	for i, folder := range folders {
		folders[i] = shorten(safeName(folder), maxFolderName)
	}
	return path.Join(append(folders, file)...)
}

// fill replaces the placeholders. A later occurrence of one is dropped together with the separator before it, and an
// unknown one stays as text.
func (a asset) fill(template string) string {
	parameters, used := a.parameters(), map[string]bool{}
	return placeholder.ReplaceAllStringFunc(template, func(match string) string {
		separator, name, _ := strings.Cut(strings.TrimSuffix(match, ">"), "<")
		value, known := parameters[name]
		switch {
		case !known:
			return match
		case used[name]:
			return ""
		}
		used[name] = true
		return separator + value
	})
}

var unsafe = regexp.MustCompile(`[^\pL\pN._ -]+`)

// safeName makes a name without separators, control characters, or meaning to a file system.
func safeName(s string) string {
	return cmp.Or(strings.Trim(unsafe.ReplaceAllString(strings.ToValidUTF8(s, "_"), "_"), ". "), "_")
}

// shorten cuts to a number of bytes, between runes.
func shorten(s string, limit int) string { return strings.ToValidUTF8(s[:min(len(s), limit)], "") }

// unique adds a number to a name that is taken already. Names that differ only in case count as one: they are one file
// on many file systems.
func unique(taken map[string]bool, name string) string {
	candidate := name
	for n := 2; taken[strings.ToLower(candidate)]; n++ {
		candidate = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, extension), n, extension)
	}
	taken[strings.ToLower(candidate)] = true
	return candidate
}
