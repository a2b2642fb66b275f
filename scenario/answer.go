package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
)

// jobAnswer is what a launch or a status answers, whichever of the two public descriptions it follows.
type jobAnswer struct {
	id       string
	status   Status
	progress float64
	url      string
	reasons  []any // raw, to be cleaned
}

// parseJobAnswer reads {"job":{…,"metadata":{…}}} and {"jobId","jobStatus","downloadUrl"}. Everything but the JSON's
// syntax is optional here, and a field of another type than described counts as missing: the caller knows what it needs.
func parseJobAnswer(body []byte) (jobAnswer, error) {
	top, err := decodeObject(body)
	if err != nil {
		return jobAnswer{}, err
	}
	job := object(top, "job")
	metadata, topMetadata := object(job, "metadata"), object(top, "metadata")
	status := firstString([]map[string]any{job, top}, "status", "jobStatus")
	return jobAnswer{
		id:       firstString([]map[string]any{job, top}, "jobId"),
		status:   Status(shorten(status)),
		progress: fraction(firstValue([]map[string]any{job, top}, "progress")),
		url: firstString([]map[string]any{metadata, job, topMetadata, top},
			"archiveUrl", "downloadUrl"),
		reasons: []any{metadata["error"], metadata["hint"], topMetadata["error"], topMetadata["hint"], job["error"]},
	}, nil
}

// shorten keeps a status within bounds. Those that there are have some ten letters.
func shorten(status string) string {
	const maxLength = 64
	return strings.ToValidUTF8(status[:min(len(status), maxLength)], "")
}

func decodeObject(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number out of float64's range in some other field must not spoil the answer
	var top map[string]any
	if err := decoder.Decode(&top); err != nil {
		return nil, errors.New("the answer is not a JSON object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("the answer has more than one JSON value")
	}
	return top, nil
}

// object gives the object in a field; nil (which reads as empty) if there is none.
func object(holder map[string]any, key string) map[string]any {
	value, _ := holder[key].(map[string]any)
	return value
}

func firstString(holders []map[string]any, keys ...string) string {
	for _, holder := range holders {
		for _, key := range keys {
			if s, ok := holder[key].(string); ok && s != "" {
				return s
			}
		}
	}
	return ""
}

func firstValue(holders []map[string]any, key string) any {
	for _, holder := range holders {
		if value := holder[key]; value != nil {
			return value
		}
	}
	return nil
}

// fraction is a progress within 0 and 1; 0 if it is missing or no number.
func fraction(value any) float64 {
	number, ok := value.(json.Number)
	if !ok {
		return 0
	}
	f, _ := number.Float64() // ±Inf when out of range, which the bounds take care of
	return min(max(f, 0), 1)
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
