package batch

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// MaxAssets is the most assets that one batch takes. Each costs 20 to 40 bytes of memory while duplicates are looked
	// for, and as much again until the collector runs: this many were measured to need 362 MiB.
	MaxAssets = 5_000_000
	// maxListBytes bounds the time that a list of nothing but duplicates and blank lines can take.
	maxListBytes = 4 << 30

	// stateLimit is what Step Functions carries from state to state, in bytes (AWS: "Step Functions service quotas",
	// maximum input or output size: 256 KiB).
	stateLimit = 256 << 10
	// stateReserve of it is for what is no ID: 10 tags of 1.5 KB at most, a file name template and a key of 1 KB each,
	// and the description of an execution that Step Functions answers with.
	stateReserve = 48 << 10
	// stateOverhead of an ID are its quotation marks and comma.
	stateOverhead = len(`"",`)

	// DefaultMaxConcurrency is modest because Scenario limits how many jobs a team runs at once.
	DefaultMaxConcurrency = 5
	// DefaultToleratedFailurePercentage stops a batch whose archives fail for a common reason, and lets others end.
	DefaultToleratedFailurePercentage = 10
)

// Planner makes plans.
type Planner struct {
	Storage
	// Prefix is for a request that names no place; "" means archive.DefaultPrefix.
	Prefix string
	// MaxConcurrency and ToleratedFailurePercentage are for an input that does not say; 0 and nil mean the defaults.
	MaxConcurrency             int
	ToleratedFailurePercentage *float64
}

// record is what a plan leaves for the manifest, in the object plan.json of its work prefix.
type record struct {
	Identity string     `json:"identity"` // of the list and the options
	Archives []outcome  `json:"archives"`
	Request  sharedSpec `json:"request"`
}

// sharedSpec is what the manifest has of the request.
type sharedSpec struct {
	Options   scenario.ArchiveOptions `json:"options"`
	ProjectID string                  `json:"projectId,omitempty"`
}

// outcome is an archive of the batch and its result.
type outcome struct {
	PlannedArchive
	// Unpack is where the archive's files go, if they are wanted: without the list of contents there, it is not finished.
	Unpack   *archive.Unpacked `json:"unpack,omitempty"`
	Finished *archive.Output   `json:"finished,omitempty"`
	Failed   *failure          `json:"-"`
}

// failure is why an archive is missing: a named error and its cause.
type failure struct{ Error, Cause string }

// Plan reads the list and writes what the map needs. Repeating it, after a lost answer say, changes nothing.
func (p Planner) Plan(ctx context.Context, in Input, e archive.Execution, redrive int) (Plan, error) {
	if in.Request.Strict {
		return Plan{}, invalid("\"strict\" is for one archive of at most 1000 assets; a batch's manifest says what each archive has")
	}
	w := planning{Planner: p, ctx: ctx, in: in, work: workPrefix(e, redrive)}
	if err := w.readList(); err != nil {
		return Plan{}, err
	}
	w.size = batchSize(w.longest)
	if in.BatchSize > 0 {
		w.size = min(w.size, in.BatchSize)
	}
	w.archives = (w.assets + w.size - 1) / w.size
	var err error
	if w.naming, err = newNaming(in, p.Prefix, w.identity, e.ID, redrive, w.archives); err != nil {
		return Plan{}, err
	}
	if err := w.checkManifest(); err != nil {
		return Plan{}, err
	}
	if w.existing, err = p.existing(ctx, w.naming, w.archives); err != nil {
		return Plan{}, err
	}
	if err := w.divide(); err != nil {
		return Plan{}, err
	}
	if err := p.countEntries(ctx, w.outcomes); err != nil {
		return Plan{}, err
	}
	if err := w.writeRecord(); err != nil {
		return Plan{}, err
	}
	return w.plan(redrive), nil
}

// planning is one plan in the making.
type planning struct {
	Planner
	ctx  context.Context
	in   Input
	work string
	naming

	assets, duplicates, longest int // longest is an ID's length in bytes
	lines                       int // of the list; 0 when the IDs came with the request
	identity                    string
	size, archives              int
	existing                    map[string]found
	outcomes                    []outcome
	finished                    int
}

// batchSize is how many assets go into an archive: as many as Scenario takes, or as a child's state can hold.
func batchSize(longest int) int {
	return min(scenario.MaxAssets, (stateLimit-stateReserve)/(longest+stateOverhead))
}

// checkManifest refuses a place that holds another batch's manifest, which this one would replace.
func (w *planning) checkManifest() error {
	key := w.manifest()
	h, err := w.Head(w.ctx, key)
	if err != nil || h == nil || w.in.Request.Destination.Overwrite || h.Metadata[metadataBatch] == w.identity {
		return err
	}
	return archive.NewError(archive.DestinationConflict, nil, "%q is there already and is not the manifest of the "+
		"same list with the same options; choose another place, or set destination.overwrite", key)
}

func (w *planning) writeRecord() error {
	spec := sharedSpec{w.in.Request.Options, w.in.Request.ProjectID}
	text, err := json.Marshal(record{w.identity, w.outcomes, spec})
	if err != nil {
		return err
	}
	out := w.Upload(w.ctx, w.work+"plan.json", "application/json", nil)
	if _, err := out.Write(text); err != nil {
		out.Abort()
		return err
	}
	return out.Close()
}

func (w *planning) plan(redrive int) Plan {
	tolerated := w.in.ToleratedFailurePercentage
	if tolerated == nil {
		tolerated = w.Planner.ToleratedFailurePercentage
	}
	if tolerated == nil {
		tolerated = new(float64(DefaultToleratedFailurePercentage))
	}
	return Plan{
		Work: w.work, Lines: w.lines, Assets: w.assets, Duplicates: w.duplicates, Archives: w.archives, Finished: w.finished,
		ToDo:                       w.archives - w.finished,
		MaxConcurrency:             cmp.Or(w.in.MaxConcurrency, w.Planner.MaxConcurrency, DefaultMaxConcurrency),
		ToleratedFailurePercentage: *tolerated,
		Items:                      Object{w.Name, w.itemsKey()},
		Results:                    Place{w.Name, w.work + "results"},
		Manifest:                   Object{w.Name, w.manifest()},
		RedriveCount:               redrive,
	}
}
