package scenario

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// archiveJobType is the jobType of an archive.
	archiveJobType = "assets-download"
	// findPageSize keeps a page far below maxBody: a job shows the up to 1000 IDs that it was asked for.
	findPageSize = 20
	// maxFindPages bounds a search at 2000 jobs.
	maxFindPages = 100
)

// FoundJobs are the archive jobs that a search found.
type FoundJobs struct {
	// Matching are jobs that were asked for exactly what was searched for, the latest first; those that failed or were
	// canceled stand behind the others.
	Matching []Job
	// Unclear counts the jobs of the time searched whose answer does not say what they were asked for.
	Unclear int
}

// FindArchiveJobs looks for jobs that were made from the same request since a time, by GET /jobs: for the one whose
// launch was answered to nobody. It ends its search with the first page that has a job that may still give an archive.
//
// A job matches when its metadata.input names the same assets, inferences and models in any order, and the same options.
// What cannot be distinguished: two launches of the same request. Whichever is taken, its archive is the one asked for. And
// the API documents metadata.input without its content, so a job may not say what it was asked for: it is then counted as
// Unclear and never taken. How soon a new job is listed is not documented either, and a job whose status changes
// meanwhile may move to a page that was read before: finding none proves nothing, and it is worth searching again.
//
// Every error is an [*Error].
func (c *Client) FindArchiveJobs(ctx context.Context, r ArchiveRequest, since time.Time) (FoundJobs, error) {
	if err := r.Validate(); err != nil {
		return FoundJobs{}, err
	}
	s := search{request: r, since: since}
	// "createdAfter" is refused together with "types", and "updatedAfter" holds every job made since.
	query := url.Values{"types": {archiveJobType}, "updatedAfter": {since.UTC().Format(time.RFC3339Nano)},
		"pageSize": {strconv.Itoa(findPageSize)}}
	for range maxFindPages {
		token := ""
		err := c.do(ctx, call{
			op: opFind, method: http.MethodGet, path: []string{"jobs"}, projectID: r.ProjectID, query: query,
			read: func(got answer) (err error) {
				token, err = s.read(got)
				return err
			},
		})
		if err != nil {
			return FoundJobs{}, err
		}
		if token == "" || s.promising() {
			break
		}
		query.Set("paginationToken", token)
	}
	return s.found(), nil
}

// search collects what the pages of a list of jobs have.
type search struct {
	request ArchiveRequest
	since   time.Time
	jobs    []foundJob
	unclear int
}

type foundJob struct {
	Job
	created time.Time
}

// promising says that a job was found that has not ended without an archive.
func (s *search) promising() bool {
	return slices.ContainsFunc(s.jobs, func(j foundJob) bool { return !j.lost() })
}

func (j foundJob) lost() bool { return j.Status == StatusFailure || j.Status == StatusCanceled }

// read takes one page and returns the token of the next; "" at the end.
func (s *search) read(got answer) (next string, err error) {
	top, err := decodeObject(got.body)
	if err != nil {
		return "", err
	}
	list, ok := top["jobs"].([]any)
	if !ok {
		return "", errors.New("it has no list of jobs")
	}
	for _, entry := range list {
		if job, ok := entry.(map[string]any); ok {
			s.consider(job)
		}
	}
	return firstString([]map[string]any{top}, "nextPaginationToken"), nil
}

func (s *search) consider(job map[string]any) {
	one := []map[string]any{job}
	created, err := time.Parse(time.RFC3339, firstString(one, "createdAt"))
	if firstString(one, "jobType") != archiveJobType || err == nil && created.Before(s.since) {
		return
	}
	id := firstString(one, "jobId")
	input := object(object(job, "metadata"), "input")
	if err != nil || !validJobID(id) || !says(input) {
		s.unclear++
		return
	}
	if s.request.isInput(input) {
		s.jobs = append(s.jobs, foundJob{
			Job:     Job{ID: id, ProjectID: s.request.ProjectID, Status: Status(firstString(one, "status"))},
			created: created,
		})
	}
}

func (s *search) found() FoundJobs {
	slices.SortStableFunc(s.jobs, func(a, b foundJob) int {
		if a.lost() != b.lost() {
			if a.lost() {
				return 1
			}
			return -1
		}
		return b.created.Compare(a.created)
	})
	f := FoundJobs{Unclear: s.unclear}
	for _, j := range s.jobs {
		f.Matching = append(f.Matching, j.Job)
	}
	return f
}
