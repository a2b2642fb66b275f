package main

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

const (
	errorSuffix  = ".error.json"
	statusSuffix = ".status.json"
	maxKeyBytes  = 1024 // S3: length of an object key in UTF-8
)

// formatOf is what an object holds, by the end of its name; batch.FormatJSON is one request, not a list. It tells
// requests from everything else in the bucket. What this function writes is never a request: it would call itself for
// ever.
func formatOf(key string) (batch.Format, bool) {
	lower := strings.ToLower(key)
	if !strings.HasPrefix(key, archive.RequestsPrefix) || strings.HasSuffix(lower, errorSuffix) ||
		strings.HasSuffix(lower, statusSuffix) {
		return "", false
	}
	return batch.FormatOf(key)
}

// stem is the key without the end that tells its form.
func stem(key string) string { return strings.TrimSuffix(key, path.Ext(key)) }

// executionName is the same for every delivery of an event, and another one for every object that is dropped.
func executionName(o object) string {
	event := strings.ToUpper(o.sequencer)
	if event == "" { // S3 always sends one; others that speak its language may not
		event = o.etag + " " + o.time
	}
	return executions.Name(path.Base(stem(o.key)), "dropped object", o.bucket, o.key, o.version, event)
}

// beside makes the key of an object beside a request. A name that gets too long for S3 is cut.
func beside(name, suffix string) string {
	for len(name)+len(suffix) > maxKeyBytes {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name + suffix
}
