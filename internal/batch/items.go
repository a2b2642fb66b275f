package batch

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// divide writes the items of the archives that are to be made.
func (w *planning) divide() error {
	list, err := w.Get(w.ctx, w.listKey(), bucket.GetOptions{})
	if err != nil {
		return err
	}
	defer list.Close()
	out := w.Upload(w.ctx, w.itemsKey(), "application/jsonl", nil)
	defer out.Abort()
	items := bufio.NewWriterSize(out, 64<<10)
	lines := newLineReader(list)
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
		id, err := lines.Next()
		if err == io.EOF {
			return nil, archive.NewError(archive.Internal, nil, "the list changed while it was read")
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
			o.Finished, o.Execution = found.output(w.Name), found.execution
			w.finished++
		} else if !w.in.Request.Destination.Overwrite {
			return archive.NewError(archive.DestinationConflict, nil, "%q is there already and is no archive of these "+
				"assets; choose another place, or set destination.overwrite", o.Key)
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
