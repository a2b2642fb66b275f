package batch

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// divide writes the items of the archives that are to be made: a JSON array, which every engine of Step Functions reads,
// of an element for each. It is written as the list is read: one archive is in memory.
func (w *planning) divide() error {
	list, err := w.Get(w.ctx, w.listKey(), bucket.GetOptions{})
	if err != nil {
		return err
	}
	defer list.Close()
	out := w.Upload(w.ctx, w.itemsKey(), "application/json", nil)
	defer out.Abort()
	items := bufio.NewWriterSize(out, 64<<10)
	lines := bufio.NewReaderSize(list, 64<<10)
	d := newDigester(w.in.Request)
	ids := make([]string, 0, w.size)
	separator := "[\n"
	for number := 1; number <= w.archives; number++ {
		if ids, err = takeIDs(lines, ids[:0], min(w.size, w.assets-(number-1)*w.size)); err != nil {
			return err
		}
		item, err := w.item(number, ids, d)
		if err != nil {
			return err
		}
		if item == nil {
			continue
		}
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		_, _ = items.WriteString(separator)
		if _, err := items.Write(text); err != nil { // the first error of a bufio.Writer is its last one, too
			return err
		}
		separator = ",\n"
	}
	if w.finished == w.archives {
		return nil // no items: the map is not run
	}
	_, _ = items.WriteString("\n]\n")
	if err := items.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func (w *planning) itemsKey() string { return w.work + "items.json" }

// takeIDs reads the next n lines of a list that this package wrote: an ID a line, without a header.
func takeIDs(lines *bufio.Reader, ids []string, n int) ([]string, error) {
	for len(ids) < n {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		id := strings.TrimSuffix(line, "\n")
		if err == io.EOF || !archive.ValidID(id) {
			return nil, archive.NewError(archive.Internal, nil, "the list changed while it was read")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// item is the item of one archive; nil when the archive is there already.
func (w *planning) item(number int, ids []string, d *digester) (*Item, error) {
	for _, id := range ids {
		d.add(id)
	}
	digest := d.sum()[:digestDigits]
	o := outcome{PlannedArchive: PlannedArchive{
		Number: number, Key: w.key(number), Execution: w.execution(number, digest), Assets: len(ids),
	}}
	var err error
	if o.Unpack, err = w.unpacking(number, o.Key); err != nil {
		return nil, err
	}
	overwrite := w.in.Request.Destination.Overwrite
	there, ok := w.existing[o.Key]
	switch {
	case ok && digestIn(there.execution) == digest:
		overwrite = true // it is this batch's own archive; what is missing is its unpacking
		done, err := w.finish(w.ctx, &o, there)
		if err != nil {
			return nil, err
		}
		if done {
			o.Execution = there.execution
			w.finished++
		}
	case ok && !overwrite:
		return nil, archive.NewError(archive.DestinationConflict, nil, "%q is there already and is no archive of these "+
			"assets; choose another place, or set destination.overwrite", o.Key)
	}
	w.outcomes = append(w.outcomes, o)
	if o.Finished != nil {
		return nil, nil
	}
	return &Item{o.PlannedArchive, w.request(number, o.Key, ids, overwrite)}, nil
}

// unpacking says where the files of an archive go; nil where they are not wanted.
func (w *planning) unpacking(number int, key string) (*archive.Unpacked, error) {
	if !w.in.Request.Unpack.Wanted {
		return nil, nil
	}
	d, err := archive.Request{
		Unpack: w.unpack(number, key), Destination: archive.DestinationRequest{Key: key},
	}.Resolve(w.Name, "", "")
	if err != nil {
		return nil, err
	}
	return &archive.Unpacked{Prefix: d.Unpack.Prefix, Contents: d.Unpack.ContentsKey()}, nil
}

// finish takes an archive that is in the bucket for finished, and says so: one whose files are wanted is finished with their
// list of contents alone.
func (s Storage) finish(ctx context.Context, o *outcome, there found) (bool, error) {
	if o.Unpack != nil {
		if h, err := s.Head(ctx, o.Unpack.Contents); err != nil || h == nil {
			return false, err
		}
	}
	o.Finished, o.Failed = there.output, nil
	o.Finished.Unpacked = o.Unpack
	return true, nil
}

// unpack is what an archive's execution is asked for: each archive has a folder of its own, below the prefix if the request
// names one, for each writes a list of its contents. Together, they all have one folder, and each gets its number: it is
// in the name of its list, and in the keys of files whose names meet another archive's.
func (w *planning) unpack(number int, key string) archive.UnpackRequest {
	u := w.in.Request.Unpack
	switch {
	case u.Together:
		u.Together, u.Prefix = false, cmp.Or(u.Prefix, w.base)
		u.Part = w.identity[:digestDigits] + "-" + w.number(number)
	case u.Prefix != "":
		u.Prefix = strings.TrimSuffix(u.Prefix, "/") + "/" + strings.TrimSuffix(path.Base(key), ".zip")
	}
	return u
}

// request is what the archive's execution is asked for.
func (w *planning) request(number int, key string, ids []string, overwrite bool) ItemRequest {
	r := w.in.Request
	tags := r.Destination.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return ItemRequest{
		Query: ItemQuery{ids}, Options: r.Options, ProjectID: r.ProjectID, TimeoutSeconds: r.TimeoutSeconds,
		Destination: ItemDestination{key, overwrite, tags}, Unpack: w.unpack(number, key),
	}
}
