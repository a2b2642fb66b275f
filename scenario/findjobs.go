package scenario

import (
	"cmp"
	"context"
	"errors"
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
		token, err := fetch(ctx, c, call{op: opFind, path: "jobs", projectID: r.ProjectID, query: query}, nil, s.read)
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
	jobs    []candidate
	unclear int
}

// A candidate is a job as GET /jobs shows it.
type candidate struct {
	JobID, JobType, CreatedAt string
	Status                    Status
	Metadata                  struct{ Input jobInput }

	created time.Time
}

// promising says that a job was found that has not ended without an archive.
func (s *search) promising() bool {
	return slices.ContainsFunc(s.jobs, func(j candidate) bool { return !j.lost() })
}

func (j candidate) lost() bool { return j.Status == StatusFailure || j.Status == StatusCanceled }

// read takes one page and returns the token of the next; "" at the end.
func (s *search) read(got answer) (next string, err error) {
	var page struct {
		Jobs                []candidate
		NextPaginationToken string
	}
	if err := decodeObject(got.body, &page); err != nil {
		return "", err
	}
	if page.Jobs == nil {
		return "", errors.New("it has no list of jobs")
	}
	for _, job := range page.Jobs {
		s.consider(job)
	}
	return page.NextPaginationToken, nil
}

func (s *search) consider(job candidate) {
	created, err := time.Parse(time.RFC3339, job.CreatedAt)
	switch {
	case job.JobType != archiveJobType, err == nil && created.Before(s.since):
	case err != nil, !validJobID(job.JobID), !job.Metadata.Input.says():
		s.unclear++
	case s.request.isInput(job.Metadata.Input):
		job.created = created
		s.jobs = append(s.jobs, job)
	}
}

func (s *search) found() FoundJobs {
	slices.SortStableFunc(s.jobs, func(a, b candidate) int { return b.created.Compare(a.created) })
	f := FoundJobs{Unclear: s.unclear}
	for _, lost := range []bool{false, true} {
		for _, j := range s.jobs {
			if j.lost() == lost {
				f.Matching = append(f.Matching, Job{ID: j.JobID, ProjectID: s.request.ProjectID, Status: j.Status})
			}
		}
	}
	return f
}

// A jobInput is what a job says that it was asked for: a request, or its fields without the objects around them.
type jobInput struct {
	ArchiveRequest
	Query
	ArchiveOptions
}

func (in jobInput) query() Query {
	if in.ArchiveRequest.Query.given() {
		return in.ArchiveRequest.Query
	}
	return in.Query
}

func (in jobInput) options() ArchiveOptions { return cmp.Or(in.Options, in.ArchiveOptions) }

// says reports whether there is anything to compare with.
func (in jobInput) says() bool { return in.query().given() }

func (q Query) given() bool { return q.AssetIDs != nil || q.InferenceIDs != nil || q.ModelIDs != nil }

// isInput reports whether a job's input is this request. In doubt it is not: an option that the request leaves to the
// API, and that the job has with another value than the API's documented default, is another request.
func (r ArchiveRequest) isInput(in jobInput) bool {
	query, options := in.query().lists(), in.options()
	for i, list := range r.Query.lists() {
		if !slices.Equal(distinct(list.ids), distinct(query[i].ids)) {
			return false
		}
	}
	template := options.FileNameTemplate
	if template != r.Options.FileNameTemplate && (r.Options.FileNameTemplate != "" || template != DefaultFileNameTemplate) {
		return false
	}
	return isTrue(options.Flat) == isTrue(r.Options.Flat) && options.PreferOriginal == r.Options.PreferOriginal &&
		(r.Options.ArchiveName == "" || options.ArchiveName == r.Options.ArchiveName)
}

func isTrue(b *bool) bool { return b != nil && *b }

// distinct is the IDs in order, each once: one that is given twice is one asset.
func distinct(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }
