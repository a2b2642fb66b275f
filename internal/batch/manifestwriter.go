package batch

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strconv"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

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
	if err := w.entries(b, "archives", func(o outcome) any { return finished(o) }); err != nil {
		return err
	}
	if err := w.entries(b, "failed", func(o outcome) any { return missing(o) }); err != nil {
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
