package scenario

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// jobAnswer is what a launch or a status answers, whichever of the two public descriptions it follows.
type jobAnswer struct {
	id       string
	status   Status
	progress float64 // within 0 and 1
	url      string
	reasons  []any // raw, to be cleaned
}

// jobFields are what either description has of a job, at the top or in an object of its own.
type jobFields struct {
	JobID, Status, JobStatus string
	Progress                 json.RawMessage
	Error                    any
	jobURLs
	Metadata struct {
		Error, Hint any
		jobURLs
	}
}

type jobURLs struct{ ArchiveURL, DownloadURL string }

func (u jobURLs) either() string { return cmp.Or(u.ArchiveURL, u.DownloadURL) }

// parseJobAnswer reads {"job":{…,"metadata":{…}}} and {"jobId","jobStatus","downloadUrl"}. Everything but the JSON's
// syntax is optional here: the caller knows what it needs.
func parseJobAnswer(body []byte) (jobAnswer, error) {
	var top struct {
		jobFields
		Job jobFields
	}
	if err := decodeObject(body, &top); err != nil {
		return jobAnswer{}, err
	}
	job := top.Job
	progress, _ := strconv.ParseFloat(cmp.Or(string(job.Progress), string(top.Progress)), 64) // ±Inf out of its range
	return jobAnswer{
		id:       cmp.Or(job.JobID, top.JobID),
		status:   Status(shorten(cmp.Or(job.Status, job.JobStatus, top.Status, top.JobStatus))),
		progress: min(max(progress, 0), 1),
		url:      cmp.Or(job.Metadata.either(), job.either(), top.Metadata.either(), top.either()),
		reasons:  []any{job.Metadata.Error, job.Metadata.Hint, top.Metadata.Error, top.Metadata.Hint, job.Error},
	}, nil
}

// shorten keeps a status within bounds. Those that there are have some ten letters.
func shorten(status string) string {
	const maxLength = 64
	return strings.ToValidUTF8(status[:min(len(status), maxLength)], "")
}

// decodeObject reads one JSON object. A field of another type than it is to be read into counts as missing.
func decodeObject(body []byte, into any) error {
	if !json.Valid(body) || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return errors.New("the answer is not one JSON object")
	}
	_ = json.Unmarshal(body, into)
	return nil
}

// validJobID accepts what can stand as one segment of a path. The API's look like job_ocZCnG1Df35XRL1QyCZSRxAG8.
func validJobID(id string) bool {
	const maxLength = 256
	if id == "" || len(id) > maxLength || strings.Trim(id, ".") == "" {
		return false
	}
	for _, r := range id {
		if r <= ' ' || r > '~' || strings.ContainsRune(`/\?#%`, r) {
			return false
		}
	}
	return true
}

// validArchiveURL looks at the scheme and the host alone: the client that fetches the archive escapes the rest as browsers do, which
// take a blank or a bare "%" as well.
func validArchiveURL(raw string) bool {
	const maxLength = 16 << 10 // a signed one has one or two KiB; what passes between the steps is bounded
	scheme, rest, _ := strings.Cut(strings.TrimSpace(raw), "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	u, err := url.Parse(scheme + "://" + host)
	return err == nil && len(raw) <= maxLength && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}
