package scenariotest

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest/internal/virtualzip"
)

// maxArchives is how many layouts are kept; one of 1000 assets takes some MB, and less than a second to make again.
const maxArchives = 16

// modified is the time of every file in an archive: equal requests have equal bytes.
var modified = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// archives keeps the layouts in use.
type archives struct {
	mu     sync.Mutex
	recent []*layout // the latest used last
}

type layout struct {
	job     string
	changed bool
	make    func() (*virtualzip.Archive, error) // once; further calls give the same
}

// get gives the layout of a job's archive, and makes it if need be: once, however many ask meanwhile.
func (s *archives) get(j *job, changed bool, o Options) (*virtualzip.Archive, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.recent, func(l *layout) bool { return l.job == j.ID && l.changed == changed })
	var l *layout
	if i >= 0 {
		l = s.recent[i]
		s.recent = slices.Delete(s.recent, i, i+1)
	} else {
		l = &layout{job: j.ID, changed: changed, make: sync.OnceValues(func() (*virtualzip.Archive, error) {
			return lay(j, changed, o)
		})}
	}
	s.recent = append(s.recent, l)
	if len(s.recent) > maxArchives {
		s.recent = slices.Delete(s.recent, 0, 1)
	}
	s.mu.Unlock()
	return l.make()
}

// AssetFile gives the file of one version of an asset, as a stand-in with these options puts it into archives: to compare
// with.
func AssetFile(o Options, id string, version int) (*io.SectionReader, error) {
	content, err := virtualzip.Image(asset{ID: id, Version: version}.seed(), o.AssetSize)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(content, 0, content.Size()), nil
}

// lay makes an archive. A changed one has the same names and sizes, and other bytes.
func lay(j *job, changed bool, o Options) (*virtualzip.Archive, error) {
	var files []virtualzip.File
	for i, name := range names(j.Assets, j.Template, j.Flat) {
		if j.Assets[i].LeftOut {
			continue
		}
		seed := j.Assets[i].seed()
		if changed {
			seed += " changed"
		}
		content, err := virtualzip.Image(seed, o.AssetSize)
		if err != nil {
			return nil, err
		}
		files = append(files, virtualzip.File{Name: name, Content: content})
	}
	return virtualzip.Zip(files, modified)
}
