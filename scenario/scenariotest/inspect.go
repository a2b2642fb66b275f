package scenariotest

import (
	"fmt"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest/internal/virtualzip"
)

// JobInfo is a job as a test looks at it.
type JobInfo struct {
	ID        string    `json:"id"`
	ProjectID string    `json:"projectId,omitempty"`
	Launched  Operation `json:"launched"`
	Status    string    `json:"status"`
	Assets    int       `json:"assets"`
	First     string    `json:"first,omitempty"` // asset ID
}

// Jobs gives the jobs in the order of their launches: all that run, and the latest thousand at least of those that ended.
func (h *Handler) Jobs() []JobInfo {
	h.jobs.mu.Lock()
	defer h.jobs.mu.Unlock()
	now := h.options.Now()
	list := []JobInfo{}
	for _, j := range h.jobs.order {
		info := JobInfo{ID: j.ID, ProjectID: j.Project, Launched: j.Launched, Status: j.current(now).status, Assets: len(j.Assets)}
		if len(j.Assets) > 0 {
			info.First = j.Assets[0].ID
		}
		list = append(list, info)
	}
	return list
}

// ArchiveFile gives a job's whole archive, to compare with, whether the job is done or not. The error is for an unknown job.
func (h *Handler) ArchiveFile(jobID string) (*virtualzip.Archive, error) {
	j := h.jobs.find(jobID)
	if j == nil {
		return nil, fmt.Errorf("scenariotest: no job %s", jobID)
	}
	return h.archives.get(j, false, h.options)
}

// AddArchive makes a job that is done at once, of as many assets as wanted, and gives its ID: for tests and benchmarks
// of downloads alone. Neither ceilings nor the limit of 1000 assets apply; special assets do what they do.
func (h *Handler) AddArchive(assetIDs ...string) (jobID string) {
	j := h.newJob(launchBody{Query: &query{AssetIDs: assetIDs}}, OpLaunchArchive)
	j.Duration = 0
	if _, err := h.jobs.add(j, 0); err != nil {
		panic("scenariotest: " + err.Error())
	}
	return j.ID
}
