package batch

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"strconv"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// MaxAssets is the most assets that one batch takes. Each costs 20 to 40 bytes of memory while duplicates are looked
	// for, so that this many need 200 MB.
	MaxAssets = 5_000_000
	// maxListBytes bounds the time that a list of nothing but duplicates and blank lines can take.
	maxListBytes = 4 << 30

	// stateLimit is what Step Functions carries from state to state, in bytes (AWS: "Step Functions service quotas",
	// maximum input or output size: 256 KiB).
	stateLimit = 256 << 10
	// stateReserve of it is for what is no ID: 10 tags of 1.5 KB at most, a file name template and a key of 1 KB each,
	// and the description of an execution that Step Functions answers with.
	stateReserve = 48 << 10
	// stateOverhead of an ID is {"id":"…"}, beside the ID itself.
	stateOverhead = len(`{"id":""},`)

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

// sharedSpec is what the manifest tells of the request.
type sharedSpec struct {
	Options   scenario.ArchiveOptions `json:"options"`
	ProjectID string                  `json:"projectId,omitempty"`
}

// outcome is an archive of the batch and what became of it.
type outcome struct {
	Upcoming
	Finished *archive.Output `json:"finished,omitempty"`
	Failed   *failure        `json:"-"`
}

// failure is why an archive is missing: a named error and its cause.
type failure struct{ Error, Cause string }

// Plan reads the list and writes what the map needs. Repeating it, after a lost answer say, changes nothing.
func (p Planner) Plan(ctx context.Context, in Input, e archive.Execution, redrive int) (Plan, error) {
	w := planning{Planner: p, ctx: ctx, in: in, work: workPrefix(e, redrive)}
	if err := w.readList(); err != nil {
		return Plan{}, err
	}
	w.size = batchSize(w.longest)
	w.archives = (w.assets + w.size - 1) / w.size
	var err error
	if w.naming, err = newNaming(in, p.Prefix, w.identity, e.ID, redrive, w.archives); err != nil {
		return Plan{}, err
	}
	if err := w.checkManifest(); err != nil {
		return Plan{}, err
	}
	if w.existing, err = p.existing(ctx, w.naming, 1, w.archives); err != nil {
		return Plan{}, err
	}
	if err := w.divide(); err != nil {
		return Plan{}, err
	}
	if err := w.countEntries(); err != nil {
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
	identity                    string
	size, archives              int
	existing                    map[int]existing
	outcomes                    []outcome
	finished                    int
}

// batchSize is how many assets go into an archive: as many as Scenario takes, or as a child's state can hold.
func batchSize(longest int) int {
	return min(scenario.MaxAssets, (stateLimit-stateReserve)/(longest+stateOverhead))
}

func (w *planning) listKey() string { return w.work + "assets.txt" }

// readList writes the list as it was understood: each ID once, one a line. Everything after reads that.
func (w *planning) readList() error {
	next, closeList, err := w.ids()
	if err != nil {
		return err
	}
	defer closeList()
	out := w.upload(w.ctx, w.listKey(), "text/plain", nil)
	defer out.Abort()
	lines := bufio.NewWriterSize(out, 64<<10)
	d := newDigester(w.in.Request)
	seen := map[[16]byte]struct{}{}
	for {
		id, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !w.add(seen, id) {
			continue
		}
		if w.assets > MaxAssets {
			return invalid("the list has more than %d assets; divide it", MaxAssets)
		}
		d.add(id)
		_, _ = lines.WriteString(id)
		if err := lines.WriteByte('\n'); err != nil {
			return err
		}
	}
	if w.assets == 0 {
		return invalid("the list is empty: it names no asset")
	}
	w.identity = d.sum()
	if err := lines.Flush(); err != nil {
		return err
	}
	return out.Close()
}

// add counts an ID, and says whether it is new. 128 bits of SHA-256 stand for it: no two IDs that anybody can find
// have the same.
func (w *planning) add(seen map[[16]byte]struct{}, id string) bool {
	sum := sha256.Sum256([]byte(id))
	short := [16]byte(sum[:16])
	if _, ok := seen[short]; ok {
		w.duplicates++
		return false
	}
	seen[short] = struct{}{}
	w.assets++
	w.longest = max(w.longest, len(id))
	return true
}

// ids gives the list's IDs from wherever it is.
func (w *planning) ids() (next func() (string, error), closeList func(), err error) {
	if w.in.List == nil {
		i := -1
		return func() (string, error) {
			if i++; i == len(w.in.AssetIDs) {
				return "", io.EOF
			}
			return w.in.AssetIDs[i], nil
		}, func() {}, nil
	}
	format, err := w.in.List.format()
	if err != nil {
		return nil, nil, err
	}
	b, err := w.open(w.ctx, w.in.List.Key, w.in.List.VersionID)
	if err != nil {
		return nil, nil, w.noList(err)
	}
	limited := &limitedList{r: b, left: maxListBytes}
	return NewReader(limited, format).Next, func() { _ = b.Close() }, nil
}

type limitedList struct {
	r    io.Reader
	left int64
}

func (l *limitedList) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, invalid("the list is longer than %d bytes; divide it", int64(maxListBytes))
	}
	return n, err
}

// noList tells a list that is not there from a bucket that does not answer.
func (w *planning) noList(err error) error {
	if isMissing(err) {
		return invalid("there is no list %q in the bucket %q; check list.key and list.versionId",
			abbreviate(w.in.List.Key), w.Bucket)
	}
	return err
}

// checkManifest refuses a place that holds another batch's manifest, which this one would replace.
func (w *planning) checkManifest() error {
	key := w.manifest()
	h, err := w.head(w.ctx, key)
	if err != nil || h == nil || w.in.Request.Destination.Overwrite || h.Metadata[metadataBatch] == w.identity {
		return err
	}
	return archive.DestinationConflict{Failure: archive.Because(nil, "%q is there already and is not the manifest of the "+
		"same list with the same options; choose another place, or set destination.overwrite", key)}
}

// divide writes the items of the archives that are to be made.
func (w *planning) divide() error {
	list, err := w.open(w.ctx, w.listKey(), "")
	if err != nil {
		return err
	}
	defer list.Close()
	out := w.upload(w.ctx, w.itemsKey(), "application/jsonl", nil)
	defer out.Abort()
	items := bufio.NewWriterSize(out, 64<<10)
	lines := NewReader(list, FormatText)
	d := newDigester(w.in.Request)
	ids := make([]string, 0, w.size)
	for number := 1; number <= w.archives; number++ {
		if ids, err = takeIDs(lines, ids[:0], min(w.size, w.assets-(number-1)*w.size)); err != nil {
			return err
		}
		if err := w.item(items, number, ids, d); err != nil {
			return err
		}
	}
	if w.finished == w.archives {
		return nil // no items: the map is not run
	}
	if err := items.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func (w *planning) itemsKey() string { return w.work + "items.jsonl" }

// takeIDs reads the next n lines of a list that this package wrote.
func takeIDs(lines *Reader, ids []string, n int) ([]string, error) {
	for len(ids) < n {
		id, err := lines.nextText()
		if err == io.EOF {
			return nil, archive.Internal{Failure: archive.Because(nil, "the list changed while it was read")}
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// item writes the lines of one archive, unless it is there already.
func (w *planning) item(items *bufio.Writer, number int, ids []string, d *digester) error {
	for _, id := range ids {
		d.add(id)
	}
	digest := d.sum()[:digestDigits]
	o := outcome{Upcoming: Upcoming{
		Number: number, Key: w.key(number), Execution: w.execution(number, digest), Assets: len(ids),
	}}
	if found, ok := w.existing[number]; ok {
		if digestIn(found.execution) == digest {
			o.Finished, o.Execution = found.output(w.Bucket), found.execution
			w.finished++
		} else if !w.in.Request.Destination.Overwrite {
			return archive.DestinationConflict{Failure: archive.Because(nil, "%q is there already and is no archive of these "+
				"assets; choose another place, or set destination.overwrite", o.Key)}
		}
	}
	w.outcomes = append(w.outcomes, o)
	if o.Finished != nil {
		return nil
	}
	return writeItems(items, o.Upcoming, ids)
}

func writeItems(items *bufio.Writer, u Upcoming, ids []string) error {
	first, err := json.Marshal(Item{ID: ids[0], Archive: &u})
	if err != nil {
		return err
	}
	_, _ = items.Write(append(first, '\n'))
	for _, id := range ids[1:] {
		_, _ = items.WriteString(`{"id":`)
		_, _ = items.Write(strconv.AppendQuote(items.AvailableBuffer(), id)) // a valid ID needs no escape
		_, err = items.WriteString("}\n")
	}
	return err // the first error of a bufio.Writer is its last one, too
}

func (w *planning) writeRecord() error {
	spec := sharedSpec{w.in.Request.Options, w.in.Request.ProjectID}
	text, err := json.Marshal(record{w.identity, w.outcomes, spec})
	if err != nil {
		return err
	}
	out := w.upload(w.ctx, w.work+"plan.json", "application/json", nil)
	if _, err := out.Write(text); err != nil {
		out.Abort()
		return err
	}
	return out.Close()
}

func (w *planning) plan(redrive int) Plan {
	r := w.in.Request
	tolerated := w.in.ToleratedFailurePercentage
	if tolerated == nil {
		tolerated = w.Planner.ToleratedFailurePercentage
	}
	if tolerated == nil {
		tolerated = new(float64(DefaultToleratedFailurePercentage))
	}
	tags := r.Destination.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return Plan{
		Work: w.work, Assets: w.assets, Duplicates: w.duplicates, Archives: w.archives, Finished: w.finished,
		ToDo: w.archives - w.finished, BatchSize: w.size,
		MaxConcurrency:             cmp.Or(w.in.MaxConcurrency, w.Planner.MaxConcurrency, DefaultMaxConcurrency),
		ToleratedFailurePercentage: *tolerated,
		Items:                      Object{w.Bucket, w.itemsKey()},
		Results:                    Place{w.Bucket, w.work + "results"},
		Manifest:                   Object{w.Bucket, w.manifest()},
		Archive: Shared{
			Options: r.Options, ProjectID: r.ProjectID, TimeoutSeconds: r.TimeoutSeconds,
			Overwrite: r.Destination.Overwrite, Tags: tags,
		},
		RedriveCount: redrive,
	}
}
