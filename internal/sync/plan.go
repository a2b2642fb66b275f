package sync

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// windowAssets is how many assets are compared with their records at once.
const windowAssets = scenario.AssetPageSize

// planned is a line of a chunk's plan.
type planned struct {
	ID    string          `json:"id"`
	Known known           `json:"known"`
	Asset json.RawMessage `json:"asset,omitempty"` // as it is kept
}

// found is an asset in work.
type found struct {
	planned
	asset   scenario.Asset
	record  *record // what is there; nil: none
	etag    string  // of the record's object
	verdict verdict
	retried bool
}

// errWork ends a probe that has found something to do.
var errWork = errors.New("there is something to do")

// planning is a chunk in the making.
type planning struct {
	*run
	chunk  Chunk
	lines  *bucket.Upload
	list   *bucket.Upload
	latest map[string]known // of the assets in the chunk, as they were planned last
	window []found
	hashes []uint64 // of the IDs listed, in a full run
}

// plan looks at the assets that failed before, reads the list from the run's position on, and stops at its end, with a full
// chunk, or near the deadline. Files are there before the status names them.
func (r *run) plan(ctx context.Context) error {
	d := r.definition
	c := Chunk{
		Run: r.Run.ID, Number: r.Run.Chunks + 1, Pass: 1, Work: workPrefix(r.Name, r.Run.ID), AssetPrefix: d.assets(),
		RecordPrefix: d.records(), Incoming: d.incoming(r.Name), Metadata: d.withMetadata(), Tags: d.Tags, ProjectID: d.Select.ProjectID,
		Original: d.Options.PreferOriginal,
	}
	p := &planning{run: r, chunk: c, latest: map[string]known{}}
	defer p.abort()
	before := *r.Run
	if err := p.scan(ctx); err != nil {
		return err
	}
	if r.probe {
		return nil
	}
	if err := p.writeHashes(ctx, true); err != nil {
		return err
	}
	if err := p.close(); err != nil {
		return err
	}
	if !r.Run.Listed && r.Run.Chunk == nil && r.Run.Position.Equal(before.Position) && r.Run.Retried == before.Retried {
		return archive.NewError(archive.SyncFailed, nil, "more assets of one moment (%s) are listed than can be in one step", r.Run.Position)
	}
	if r.Run.Listed && r.Run.Chunk == nil {
		return nil // the end writes both
	}
	if err := r.writeNotes(ctx, r.Name, r.notes); err != nil {
		return err
	}
	if r.Run.Chunk == nil {
		r.advance()
	}
	return r.write(ctx, r.lease)
}

func (p *planning) scan(ctx context.Context) error {
	if !p.Run.Retried {
		if err := p.retry(ctx); err != nil {
			return err
		}
		p.Run.Retried = true
	}
	after := p.Run.Position
	if !after.IsZero() && (p.Run.Chunks > 0 || !after.Equal(p.Cursor)) { // within a list: its order may be wrong
		after = after.Add(-slack)
	}
	for a, err := range p.Scenario.Assets(ctx, p.definition.filter(after)) {
		if err != nil {
			return archive.FromScenario(err)
		}
		p.see(a)
		if p.Counts.Listed++; p.Counts.Listed%windowAssets != 0 {
			continue
		}
		if err := p.flush(ctx); err != nil {
			return err
		}
		p.Run.Position = p.Run.Latest
		if len(p.latest) >= p.chunkAssets() || nearDeadline(ctx) {
			return nil
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	p.Run.Position, p.Run.Listed = p.Run.Latest, true
	return nil
}

// see takes an asset of the list into the window.
func (p *planning) see(a scenario.Asset) {
	if a.UpdatedAt.After(p.Run.Latest) {
		p.Run.Latest = a.UpdatedAt
	}
	if !p.definition.chooses(a) {
		return
	}
	if p.Full {
		p.hashes = append(p.hashes, hashOf(a.ID))
	}
	p.window = append(p.window, found{planned: planned{ID: a.ID}, asset: a})
}

// retry looks up the assets that failed before and may be tried again.
func (p *planning) retry(ctx context.Context) error {
	due := p.notes.due(p.now(), p.Full)
	for len(due) > 0 {
		ids := due[:min(len(due), scenario.MaxAssetsByID)]
		due = due[len(ids):]
		list, err := p.Scenario.AssetsByID(ctx, p.definition.Select.ProjectID, ids...)
		if err != nil {
			return archive.FromScenario(err)
		}
		there := map[string]bool{}
		for _, a := range list {
			if p.definition.stillChooses(a) {
				there[a.ID] = true
				p.window = append(p.window, found{planned: planned{ID: a.ID}, asset: a, retried: true})
			}
		}
		for _, id := range ids {
			if !there[id] { // deleted, or no longer meant
				p.notes.remove(id)
			}
		}
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flush compares the window's assets with their records, and acts on each in the list's order.
func (p *planning) flush(ctx context.Context) error {
	window := newest(p.window)
	p.window = nil
	err := batch.Each(ctx, len(window), func(ctx context.Context, i int) error { return p.look(ctx, &window[i]) })
	if err != nil {
		return err
	}
	for i := range window {
		if err := p.act(ctx, &window[i]); err != nil {
			return err
		}
	}
	return p.writeHashes(ctx, false)
}

// newest leaves of each asset what was changed last: a list may show one again.
func newest(window []found) []found {
	at := map[string]int{}
	kept := window[:0]
	for _, f := range window {
		i, again := at[f.ID]
		switch {
		case !again:
			at[f.ID] = len(kept)
			kept = append(kept, f)
		case f.asset.UpdatedAt.After(kept[i].asset.UpdatedAt):
			kept[i] = f
		}
	}
	return kept
}

// look reads an asset's record and judges.
func (p *planning) look(ctx context.Context, f *found) (err error) {
	if f.Asset, f.Known, err = describe(f.asset, p.chunk.Original); err != nil {
		return archive.NewError(archive.Internal, err, "the asset %s cannot be described: %v", f.ID, err)
	}
	if !p.chunk.Metadata {
		f.Asset = nil
	}
	o, err := p.Engine.read(ctx, p.chunk.record(f.ID))
	if err != nil {
		return err
	}
	var old *known
	if o != nil {
		var r record
		if json.Unmarshal(o.body, &r) == nil && r.Key != "" {
			f.record, f.etag = &r, o.ETag
			k := knownFrom(o.Metadata)
			old = &k
		}
	}
	if old != nil && p.Full {
		if whole, err := p.whole(ctx, *f.record); err != nil {
			return err
		} else if !whole {
			old, f.record = nil, nil
		}
	}
	f.verdict = judge(f.asset.Status, f.Known, old)
	return nil
}

// whole says whether a record's file is there, as the record has it.
func (p *planning) whole(ctx context.Context, r record) (bool, error) {
	o, err := p.Bucket.Head(ctx, r.Key)
	if err != nil || o == nil {
		return false, err
	}
	crc := o.Metadata[metadataCRC32]
	return o.Size == r.Size && (crc == "" || crc == r.CRC32), nil
}

// metadataCRC32 is what unpacking writes into a file's metadata.
const metadataCRC32 = "crc32"

func (c Chunk) record(id string) string { return c.RecordPrefix + id + suffix }

// act does what an asset's verdict says. An asset that rests after a failure is left alone.
func (p *planning) act(ctx context.Context, f *found) error {
	now := p.now()
	if old, ok := p.latest[f.ID]; ok && (old == f.Known || !f.Known.UpdatedAt.After(old.UpdatedAt)) {
		return nil // the list showed it before
	}
	if f.verdict != nothing && !f.retried && p.notes.rests(f.ID, f.asset.UpdatedAt, now) {
		return nil
	}
	if p.probe && f.verdict != nothing && f.verdict != wait {
		return errWork
	}
	switch f.verdict {
	case nothing:
		p.notes.remove(f.ID)
	case rewrite:
		p.notes.remove(f.ID)
		return p.rewrite(ctx, f)
	case wait:
		p.notes.add(f.ID, AssetPending, "", f.asset.UpdatedAt, now)
	case refuse:
		p.notes.add(f.ID, AssetFailed, "Scenario gives the asset's status as error", f.asset.UpdatedAt, now)
	case fetch:
		if !archive.ValidID(f.ID) {
			p.notes.add(f.ID, string(archive.RequestInvalid), "the asset's ID cannot stand in a request", f.asset.UpdatedAt, now)
			return nil
		}
		return p.add(ctx, f)
	}
	return nil
}

// rewrite writes the record of a file that stays.
func (p *planning) rewrite(ctx context.Context, f *found) error {
	f.record.SyncedAt = p.now()
	err := p.putRecord(ctx, p.chunk, f.planned, *f.record, f.etag)
	if err == nil {
		p.Counts.Rewritten++
	}
	return err
}

// add plans an asset to be fetched. One that the list shows again, changed meanwhile, gets a second line, and is fetched once.
func (p *planning) add(ctx context.Context, f *found) error {
	if p.lines == nil {
		p.lines = p.Bucket.Upload(ctx, p.chunk.plan(), "application/jsonl", nil)
		p.list = p.Bucket.Upload(ctx, p.chunk.list(), "text/plain", nil)
	}
	line, err := json.Marshal(f.planned)
	if err == nil {
		_, err = p.lines.Write(append(line, '\n'))
	}
	if _, again := p.latest[f.ID]; err == nil && !again {
		_, err = p.list.Write([]byte(f.ID + "\n"))
	}
	p.latest[f.ID] = f.Known
	return err
}

// close makes the chunk's files appear, if there are any, and the chunk that of the run.
func (p *planning) close() error {
	if p.lines == nil {
		return nil
	}
	if err := p.lines.Close(); err != nil {
		return err
	}
	if err := p.list.Close(); err != nil {
		return err
	}
	p.lines, p.list = nil, nil
	p.chunk.Assets = len(p.latest)
	p.Run.Chunk, p.Run.Chunks = &p.chunk, p.chunk.Number
	return nil
}

func (p *planning) abort() {
	if p.lines != nil {
		p.lines.Abort()
		p.list.Abort()
	}
}

// putRecord writes an asset's record; etag is that of the record that it replaces, "" if nobody has read one.
func (e Engine) putRecord(ctx context.Context, c Chunk, a planned, r record, etag string) error {
	text, err := r.line(a.Asset, a.ID)
	if err != nil {
		return archive.NewError(archive.Internal, err, "the record of %s cannot be written: %v", a.ID, err)
	}
	_, err = e.replace(ctx, c.record(a.ID), text, bucket.PutOptions{Metadata: a.Known.metadata(), IfETag: etag})
	if changed(err) {
		return archive.NewError(archive.SyncBusy, err, "another execution wrote the record of %s", a.ID)
	}
	return err
}
