package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// What to do, as a person reads it.
const (
	later      = `Start the execution again later`
	askAbout   = `Nothing was kept; start the execution again, and if it happens again ask Scenario about the job`
	freshURL   = `A fresh URL comes with the job's next status`
	notFetched = `Ask Scenario about the job: an archive is not fetched from such a URL`
	checkRole  = `Check the bucket, its policy, its KMS key and the function's role`
)

func answer(code int, kv ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(kv); i += 2 {
			w.Header().Set(kv[i], kv[i+1])
		}
		w.WriteHeader(code)
	}
}

func body(text string, kv ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(200, kv...)(w, r)
		_, _ = io.WriteString(w, text)
	}
}

// causes are all that a person can see of a transfer, each as it is provoked, with its name, what it says and its advice.
// In url, HOST stands for the source's address.
var causes = map[string]struct {
	source           http.HandlerFunc
	url              string
	change           func(*archive.TransferInput)
	name             archive.Name
	says, advice     string
	destinationIsOff bool
}{
	"refused":              {source: answer(403), name: archive.ArchiveURLExpired, says: `HTTP 403`, advice: freshURL},
	"gone":                 {source: answer(410), name: archive.ArchiveURLExpired, says: `HTTP 410`, advice: freshURL},
	"session over":         {source: expiredToken, name: archive.ArchiveURLExpired, says: `HTTP 400`, advice: freshURL},
	"not understood":       {source: answer(400), name: archive.ArchiveCorrupt, says: `HTTP 400`, advice: askAbout},
	"method":               {source: answer(405), name: archive.ArchiveCorrupt, says: `HTTP 405`, advice: askAbout},
	"no content":           {source: answer(204), name: archive.ArchiveCorrupt, says: `HTTP 204, which holds no archive`, advice: askAbout},
	"empty":                {source: body(""), name: archive.ArchiveCorrupt, says: `the archive is empty \(0 bytes\)`, advice: askAbout},
	"page":                 {source: body("<html>", "Content-Type", "text/html"), name: archive.ArchiveCorrupt, says: `a page \(text/html\)`, advice: askAbout},
	"no ZIP":               {source: body("PK\x03\x04 and no end of it"), name: archive.ArchiveCorrupt, says: `too few|no end of a ZIP directory`, advice: askAbout},
	"encoded":              {source: body("\x1b\x00", "Content-Encoding", "br"), name: archive.ArchiveCorrupt, says: `encodes it \(br\) .* only gzip is read`, advice: askAbout},
	"circle":               {source: answer(302, "Location", "/again"), name: archive.ArchiveCorrupt, says: `more than 10 redirects, or in a circle`, advice: askAbout},
	"URL that is none":     {url: "http://[::1", name: archive.ArchiveCorrupt, says: `URL cannot be read`, advice: askAbout},
	"URL of 300 KB":        {url: "http://HOST/" + strings.Repeat("x", 300_000), name: archive.ArchiveCorrupt, says: `URL has 3\d{5} bytes`, advice: askAbout},
	"not there":            {source: answer(404), name: archive.SourceUnavailable, says: `HTTP 404`, advice: later},
	"fails":                {source: answer(500), name: archive.SourceUnavailable, says: `HTTP 500`, advice: later},
	"asks for less":        {source: answer(429, "Retry-After", "3600"), name: archive.SourceUnavailable, says: `HTTP 429`, advice: later},
	"nobody listens":       {url: "http://127.0.0.1:1/", name: archive.SourceUnavailable, says: `connection refused`, advice: later},
	"redirect elsewhere":   {source: answer(302, "Location", "https://b.s3.amazonaws.com/a?x=SECRET"), name: archive.SourceForbidden, says: `the host b\.s3\.amazonaws\.com is not among`, advice: `If Scenario serves archives there, allow it: deploy again with the parameter AllowedArchiveHosts=cdn\.cloud\.scenario\.com,cdn\.scenario\.com,\*\.scenario\.com,b\.s3\.amazonaws\.com \(on one machine: .*\)`},
	"another host":         {url: "https://d1.cloudfront.net/a?x=SECRET", name: archive.SourceForbidden, says: `the host d1\.cloudfront\.net is not among`, advice: `If Scenario serves archives there, allow it: deploy again with the parameter AllowedArchiveHosts=cdn\.cloud\.scenario\.com,cdn\.scenario\.com,\*\.scenario\.com,d1\.cloudfront\.net \(on one machine: .*\)`},
	"metadata address":     {source: answer(302, "Location", "https://169.254.169.254/latest"), name: archive.SourceForbidden, says: `the host 169\.254\.169\.254 is not among`, advice: `If Scenario serves archives there, .*`},
	"not https":            {url: "http://cdn.scenario.com/a?x=SECRET", name: archive.SourceForbidden, says: `only https is allowed`, advice: notFetched},
	"another port":         {url: "https://cdn.scenario.com:8443/", name: archive.SourceForbidden, says: `port 8443: only 443`, advice: notFetched},
	"user in the URL":      {url: "https://u:SECRET@cdn.scenario.com/", name: archive.SourceForbidden, says: `a user name or a password`, advice: notFetched},
	"letters beyond ASCII": {url: "https://cdn.scen\u0430rio.com/", name: archive.SourceForbidden, says: `letters that are not ASCII`, advice: notFetched},
	"taken": {change: func(in *archive.TransferInput) { in.Destination.Key = "taken.zip" }, name: archive.DestinationConflict,
		says: `the key holds an object \(6 bytes\) which this project did not write`, advice: `Choose another key, or set destination\.overwrite`},
	"no bucket": {change: func(in *archive.TransferInput) { in.Destination.Bucket = "nobodys" }, name: archive.DestinationRefused,
		says: `NoSuchBucket`, advice: checkRole},
	"long key": {change: func(in *archive.TransferInput) { in.Destination.Key = strings.Repeat("k", 1025) }, name: archive.RequestInvalid,
		says: `the key is longer than 1024 bytes`, advice: `Correct the request`},
	"S3 away": {destinationIsOff: true, name: archive.DestinationUnavailable, says: `connection refused`, advice: later},
}

func expiredToken(w http.ResponseWriter, r *http.Request) {
	answer(400)(w, r)
	_, _ = io.WriteString(w, "<Error><Code>ExpiredToken</Code></Error>")
}

// TestCausesAndTheirAdvice: one sentence says what happened and one what to do, and the two fit.
func TestCausesAndTheirAdvice(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	taken := "taken.zip"
	store.Put(t, taken, "theirs")
	api := scenariotest.NewServer(scenariotest.Options{})
	t.Cleanup(api.Close)
	sound, err := api.ArchiveURL(api.AddArchive("asset_1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := store.Client
			if c.destinationIsOff {
				client = store.NewClient("https://127.0.0.1:1", nil)
			}
			in := archive.TransferInput{Job: archive.Job{ID: "job_1"}, ArchiveURL: sound, Execution: archive.Execution{ID: "arn:1", Name: "n"},
				Destination: archive.Destination{Bucket: store.Bucket, Key: name + ".zip"}}
			if c.source != nil {
				host := httptest.NewServer(c.source)
				t.Cleanup(host.Close)
				in.ArchiveURL = host.URL + "/a?x=SECRET"
			} else if c.url != "" {
				in.ArchiveURL = strings.Replace(c.url, "HOST", "127.0.0.1:1", 1)
			}
			if c.change != nil {
				c.change(&in)
			}
			h := handler{bucket: in.Destination.Bucket, mover: func(log *slog.Logger, key string) mover {
				return newMover(client, transfer.Options{AllowLoopback: true, ProgressInterval: time.Hour}, log, key)
			}}
			_, err := h.transfer(t.Context(), slog.New(slog.DiscardHandler), in)
			if archive.NameOf(err) != c.name {
				t.Fatalf("%s: %v; want %s", archive.NameOf(err), err, c.name)
			}
			what, todo := regexp.MustCompile(c.says), regexp.MustCompile(`[^.]\. `+c.advice+`$`)
			if text := err.Error(); !what.MatchString(text) || !todo.MatchString(text) || len(text) > 1200 || strings.Contains(text, "SECRET") {
				t.Errorf("cause: %q; want %s, and then %s", err, what, todo)
			}
		})
	}
}
