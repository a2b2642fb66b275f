package batch

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// Manifester writes manifests.
type Manifester struct{ Storage }

// maxCause keeps a failed archive's cause readable in the manifest, in bytes.
const maxCause = 2000

// Write gathers the results of a plan's archives, writes the manifest, and says how the batch ended. Its error is
// archive.BatchFailed when more archives are missing than are tolerated; the manifest is written before.
func (m Manifester) Write(ctx context.Context, in ManifestInput) (ManifestOutput, error) {
	plan := in.State.Plan
	if in.RedriveCount > plan.RedriveCount {
		return ManifestOutput{Again: true}, nil
	}
	var r record
	if err := m.readJSON(ctx, plan.Work+"plan.json", &r); err != nil {
		return ManifestOutput{}, err
	}
	if err := m.gather(ctx, plan, in.State.Failure, r.Archives); err != nil {
		return ManifestOutput{}, err
	}
	w := manifestWriter{Storage: m.Storage, ctx: ctx, plan: plan, record: r, totals: totals(plan, r.Archives)}
	if err := w.write(); err != nil {
		return ManifestOutput{}, err
	}
	if err := verdict(plan, in.State.Failure, w.totals, r.Archives); err != nil {
		return ManifestOutput{}, err
	}
	return ManifestOutput{Output: &Output{
		Bucket: plan.Manifest.Bucket, Manifest: plan.Manifest.Key, Complete: w.totals.Failed == 0, Totals: w.totals,
	}}, nil
}

// gather finds the result of each archive that the plan did not find finished.
func (m Manifester) gather(ctx context.Context, plan Plan, failed *MapFailure, archives []outcome) error {
	if plan.ToDo == 0 {
		return nil
	}
	err := m.results(ctx, plan.Results.Prefix, func(c child) {
		i := c.number() - 1
		if i < 0 || i >= len(archives) || archives[i].Finished != nil {
			return
		}
		if archives[i].Finished = c.output(); archives[i].Finished == nil {
			archives[i].Failed = c.failure()
		}
	})
	if err != nil {
		return err
	}
	if err := m.lookFor(ctx, archives); err != nil {
		return err
	}
	for i := range archives {
		if archives[i].Finished == nil && archives[i].Failed == nil {
			archives[i].Failed = notStarted(failed)
		}
	}
	return nil
}

func notStarted(failed *MapFailure) *failure {
	if failed == nil {
		return &failure{"NotStarted", "The map's results do not have this archive"}
	}
	return &failure{"NotStarted", "The map ended before: " + failed.Error + ": " + failed.Cause}
}

// lookFor looks in the bucket for the archives that no result has as finished: what is in S3 is what counts. An
// execution may have ended well after its map, or before its answer was lost.
func (m Manifester) lookFor(ctx context.Context, archives []outcome) error {
	var missing []int
	for i := range archives {
		if archives[i].Finished == nil {
			missing = append(missing, i)
		}
	}
	err := Each(ctx, len(missing), func(ctx context.Context, i int) error {
		o := &archives[missing[i]]
		there, err := m.lookAt(ctx, o.Key)
		if digest := digestIn(there.execution); digest != "" && digest == digestIn(o.Execution) {
			_, err = m.finish(ctx, o, there)
		}
		return err
	})
	if err != nil {
		return err
	}
	return m.countEntries(ctx, archives)
}

func totals(plan Plan, archives []outcome) Totals {
	t := Totals{Lines: plan.Lines, Assets: plan.Assets, Duplicates: plan.Duplicates}
	for _, o := range archives {
		if o.Finished == nil {
			t.Failed++
			t.Missing += o.Assets
			continue
		}
		t.Archives++
		t.Size += o.Finished.Size
		t.Entries += o.Finished.Entries
	}
	return t
}

// verdict says whether the batch failed: it did when more than the tolerated part of its archives is missing, when the
// map stopped before the end, or when there is not a single archive.
func verdict(plan Plan, failed *MapFailure, t Totals, archives []outcome) error {
	tooMany := float64(t.Failed)*100 > plan.ToleratedFailurePercentage*float64(plan.ToDo)
	if t.Failed == 0 || !tooMany && failed == nil && t.Archives > 0 {
		return nil
	}
	counts := map[string]int{}
	var first *outcome
	for i, o := range archives {
		if o.Finished == nil {
			counts[o.Failed.Error]++
			if first == nil || first.Failed.Error == "NotStarted" && o.Failed.Error != "NotStarted" {
				first = &archives[i]
			}
		}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		names = append(names, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return archive.NewError(archive.BatchFailed, nil, "%d of %d archives are missing (%s); one of them is %s: %s. "+
		"The manifest %s names each. What is finished stays: redrive this execution, or start the same again, for the rest",
		t.Failed, len(archives), strings.Join(names, ", "), first.Key, clip(first.Failed.Cause, 300), plan.Manifest.Key)
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// manifestWriter writes one manifest as a stream: the assets' IDs are read from the list while they are written.
type manifestWriter struct {
	Storage
	ctx    context.Context
	plan   Plan
	record record
	totals Totals
}

// head is a manifest without its archives.
type head struct {
	Version  int        `json:"version"`
	Batch    string     `json:"batch"` // stands for the list and the options
	Request  sharedSpec `json:"request"`
	Complete bool       `json:"complete"`
	Totals   Totals     `json:"totals"`
}

// finishedEntry and failedEntry are an archive in the manifest, without its assets.
type finishedEntry struct {
	Number int `json:"number"`
	archive.Output
	Assets int `json:"assets"`
}

type failedEntry struct {
	Number int    `json:"number"`
	Key    string `json:"key"`
	Error  string `json:"error"`
	Cause  string `json:"cause"`
	Assets int    `json:"assets"`
}

func (w manifestWriter) write() error {
	metadata := map[string]string{metadataBatch: w.record.Identity}
	out := w.Upload(w.ctx, w.plan.Manifest.Key, "application/json", metadata)
	defer out.Abort()
	b := bufio.NewWriterSize(out, 64<<10)
	text, err := json.Marshal(head{1, w.record.Identity, w.record.Request, w.totals.Failed == 0, w.totals})
	if err != nil {
		return err
	}
	_, _ = b.Write(text[:len(text)-1])
	if err := w.entries(b, "archives", finished); err != nil {
		return err
	}
	if err := w.entries(b, "failed", missing); err != nil {
		return err
	}
	_, _ = b.WriteString("}\n")
	if err := b.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func finished(o outcome) any {
	if o.Finished == nil {
		return nil
	}
	f := finishedEntry{o.Number, *o.Finished, o.Assets}
	f.Key = cmp.Or(f.Key, o.Key)
	return f
}

func missing(o outcome) any {
	if o.Finished != nil {
		return nil
	}
	return failedEntry{o.Number, o.Key, o.Failed.Error, clip(o.Failed.Cause, maxCause), o.Assets}
}

// entries writes those archives that entry has something to say of, with their assets, in order.
func (w manifestWriter) entries(b *bufio.Writer, name string, entry func(outcome) any) error {
	list, err := w.Get(w.ctx, path.Join(w.plan.Work, "assets.txt"), bucket.GetOptions{})
	if err != nil {
		return err
	}
	defer list.Close()
	lines := bufio.NewReaderSize(list, 64<<10)
	_, _ = fmt.Fprintf(b, ",\n%q:[", name)
	separator := "\n"
	var ids []string
	for _, o := range w.record.Archives {
		if ids, err = takeIDs(lines, ids[:0], o.Assets); err != nil {
			return err
		}
		e := entry(o)
		if e == nil {
			continue
		}
		_, _ = b.WriteString(separator)
		separator = ",\n"
		if err := writeEntry(b, e, ids); err != nil {
			return err
		}
	}
	_, err = b.WriteString("]")
	return err
}

func writeEntry(b *bufio.Writer, entry any, ids []string) error {
	text, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	_, _ = b.Write(text[:len(text)-1])
	separator := `,"assetIds":[`
	for _, id := range ids {
		_, _ = b.WriteString(separator)
		_, _ = b.Write(strconv.AppendQuote(b.AvailableBuffer(), id)) // a valid ID needs no escape
		separator = ","
	}
	_, err = b.WriteString("]}")
	return err
}
