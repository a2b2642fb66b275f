package main

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

const (
	errorSuffix  = ".error.json"
	statusSuffix = ".status.json"
	maxKeyBytes  = 1024 // S3: length of an object key in UTF-8
	maxNameBytes = 255  // of the key's last part: an S3 server that keeps objects as files has no longer ones
)

// isRequest distinguishes requests from everything else in the bucket. What this function writes is never a request: it would
// call itself for ever. Folders and hidden files (.DS_Store) are none either.
func isRequest(key string) bool {
	lower := strings.ToLower(key)
	return strings.HasPrefix(key, archive.RequestsPrefix) && !strings.HasSuffix(lower, errorSuffix) &&
		!strings.HasSuffix(lower, statusSuffix) && !strings.HasSuffix(key, "/") && !strings.HasPrefix(path.Base(key), ".")
}

// stem is the key without its extension.
func stem(key string) string { return strings.TrimSuffix(key, path.Ext(key)) }

// executionName is the same for every delivery of an event, and another one for every object that is dropped.
func executionName(o object) string {
	event := strings.ToUpper(o.sequencer)
	if event == "" { // S3 always sends one; others that speak its language may not
		event = o.etag + " " + o.time
	}
	return executions.Name(path.Base(stem(o.key)), "dropped object", o.bucket, o.key, o.version, event)
}

// beside makes the key of an object beside a request. A name that gets too long is cut, and gets a hash of all of it.
func beside(name, suffix string) string {
	folder, base := path.Split(name)
	most := min(maxKeyBytes-len(folder), maxNameBytes) - len(suffix)
	if len(base) <= most {
		return name + suffix
	}
	sum := sha256.Sum256([]byte(name))
	mark := "~" + hex.EncodeToString(sum[:4])
	for len(base)+len(mark) > most && base != "" {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	return folder + base + mark + suffix
}
