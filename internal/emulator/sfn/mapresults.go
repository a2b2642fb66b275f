package sfn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// resultTime is the form of times in results.
const resultTime = "2006-01-02T15:04:05.000Z"

// resultOf is a child in the files of a ResultWriter (AWS, "ResultWriter").
func resultOf(e Execution) description {
	d := descriptionOf(e, func(t Timestamp) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC().Format(resultTime)
	})
	d.RedriveStatusReason = &e.RedriveStatusReason
	return d
}

// writeResults writes the results of the children, and of those that were not started if the Map Run failed.
func (r *mapRun) writeResults(ctx context.Context, to asl.Place, rest *unstarted, failed error) (json.RawMessage, error) {
	dir, err := os.MkdirTemp(r.children.dir, "results-")
	if err != nil {
		return nil, writerFailure(err)
	}
	defer os.RemoveAll(dir)
	prefix := r.id()
	if to.Prefix != "" {
		prefix = to.Prefix + "/" + prefix
	}
	w := &resultWriter{ctx: ctx, objects: r.s.objects, bucket: to.Bucket, prefix: prefix, dir: dir, files: map[string]*os.File{}}
	defer w.close()
	written := 0
	if err = r.eachResult(rest, failed, func(kind string, one description) error {
		written++
		return w.add(kind, one)
	}); err == nil {
		err = w.finish(r.record.ARN)
	}
	if err != nil {
		return nil, writerFailure(err)
	}
	if err := r.change(func(record *runRecord) { record.Written = written }); err != nil {
		return nil, err
	}
	return asl.Encode(map[string]any{
		"MapRunArn":           r.record.ARN,
		"ResultWriterDetails": map[string]string{"Bucket": to.Bucket, "Key": w.manifest()},
	})
}

func writerFailure(err error) error {
	return &asl.Error{Name: "States.ResultWriterFailed", Cause: "The results could not be written: " + err.Error()}
}

// eachResult calls add with each child and the file that it belongs in: with the rest, too, if the Map Run failed.
func (r *mapRun) eachResult(rest *unstarted, failed error, add func(kind string, one description) error) error {
	children := r.list()
	slices.SortFunc(children, func(a, b *execution) int { return a.index - b.index })
	for _, e := range children {
		d, err := r.s.describe(e)
		if err != nil {
			return err
		}
		kind := "FAILED" // timed out and aborted, too
		if d.Status == asl.StatusSucceeded {
			kind = "SUCCEEDED"
		}
		if err := add(kind, resultOf(d)); err != nil {
			return err
		}
	}
	if failed == nil || rest == nil {
		return nil
	}
	for input := rest.next; ; rest.index++ {
		if input == nil {
			var err error
			if input, err = rest.inputs.Next(); err != nil {
				return nil // no more, or why the Map Run failed
			}
		}
		if r.find(rest.index) == nil {
			name := r.childName(rest.index)
			one := resultOf(Execution{
				ARN: executionARN(r.children.name, name), Name: name, StateMachineARN: r.children.arn, Status: "PENDING", Input: input,
				RedriveStatus: "NOT_REDRIVABLE",
			})
			if err := add("PENDING", one); err != nil {
				return err
			}
		}
		input = nil
	}
}

// resultWriter gathers results in files on disk, because there may be far more of them than fit in memory, and moves
// them to S3. AWS divides files at 5 GB.
type resultWriter struct {
	ctx            context.Context
	objects        Objects
	bucket, prefix string
	dir            string
	files          map[string]*os.File // by kind
}

type resultKey struct {
	Key  string
	Size int64
}

func (w *resultWriter) close() {
	for _, f := range w.files {
		_ = f.Close()
	}
}

func (w *resultWriter) manifest() string { return w.prefix + "/manifest.json" }

func (w *resultWriter) add(kind string, one description) error {
	text, err := asl.Encode(one)
	if err != nil {
		return err
	}
	f, before := w.files[kind], ","
	if f == nil {
		if f, err = os.CreateTemp(w.dir, kind); err != nil {
			return err
		}
		w.files[kind], before = f, "["
	}
	_, err = f.WriteString(before + string(text))
	return err
}

// put moves the file of that kind to S3.
func (w *resultWriter) put(kind string) (to resultKey, err error) {
	f := w.files[kind]
	if _, err := f.WriteString("]"); err != nil {
		return to, err
	}
	to.Key = fmt.Sprintf("%s/%s_0.json", w.prefix, kind)
	if to.Size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return to, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return to, err
	}
	return to, w.objects.PutObject(w.ctx, w.bucket, to.Key, f, to.Size)
}

// finish moves the files, and writes the manifest last.
func (w *resultWriter) finish(mapRunARN string) error {
	files := map[string][]resultKey{}
	for _, kind := range []string{"FAILED", "PENDING", "SUCCEEDED"} {
		files[kind] = []resultKey{}
		if w.files[kind] == nil {
			continue
		}
		to, err := w.put(kind)
		if err != nil {
			return err
		}
		files[kind] = append(files[kind], to)
	}
	text, err := asl.Encode(struct {
		DestinationBucket string
		MapRunArn         string
		ResultFiles       map[string][]resultKey
	}{w.bucket, mapRunARN, files})
	if err != nil {
		return err
	}
	return w.objects.PutObject(w.ctx, w.bucket, w.manifest(), bytes.NewReader(text), int64(len(text)))
}
