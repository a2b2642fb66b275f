package asl

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// itemReader is an ItemReader: where a distributed Map state's items are listed.
type itemReader struct {
	parameters template
	inputType  string // JSON, JSONL or CSV
	csv        csvFormat
	most       setting // MaxItems
}

// csvFormat is what ReaderConfig says of a CSV file.
type csvFormat struct {
	delimiter rune
	headers   []string // nil: the first row
}

var csvDelimiters = map[string]rune{"COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

// Object names an object in S3. VersionID is empty for the latest.
type Object struct{ Bucket, Key, VersionID string }

// ObjectReader reads objects from S3. etag tells one content of an object from another.
type ObjectReader interface {
	OpenObject(ctx context.Context, o Object) (body io.ReadCloser, etag string, err error)
}

func compileReader(f *fields) *itemReader {
	v, ok := f.take("ItemReader")
	if !ok {
		return nil
	}
	r := &itemReader{}
	reader, ok := f.c.object(f.where+": ItemReader", v)
	if !ok {
		return r
	}
	defer reader.done()
	switch resource := reader.required("Resource"); resource {
	case readObjectResource, "":
	case listObjectsResource:
		reader.wrong("Resource", "listing a bucket (%s) is not supported here; list the items in an object and read that "+
			"(%s)", listObjectsResource, readObjectResource)
	default:
		reader.wrong("Resource", "%q is not supported; only %s is", resource, readObjectResource)
	}
	r.parameters = reader.parameters("Bucket", "Key", "VersionId")
	v, ok = reader.take("ReaderConfig")
	if !ok {
		reader.wrong("ReaderConfig", "is missing: it says what the object is (InputType)")
		return r
	}
	if config, ok := f.c.object(reader.where+": ReaderConfig", v); ok {
		r.config(config)
		config.done()
	}
	return r
}

func (r *itemReader) config(f *fields) {
	f.atMostOne("MaxItems", "MaxItemsPath")
	r.most = f.setting("MaxItems", 0, maxListedItems, true)
	switch r.inputType = f.required("InputType"); r.inputType {
	case "JSON", "JSONL", "":
	case "CSV":
		r.csvConfig(f)
	default:
		f.wrong("InputType", "%q is not supported; CSV, JSON and JSONL are", r.inputType)
	}
}

func (r *itemReader) csvConfig(f *fields) {
	r.csv.delimiter = ','
	if name, ok := f.string("CSVDelimiter"); ok {
		if r.csv.delimiter = csvDelimiters[name]; r.csv.delimiter == 0 {
			f.wrong("CSVDelimiter", "must be COMMA, PIPE, SEMICOLON, SPACE or TAB")
		}
	}
	switch place := f.required("CSVHeaderLocation"); place {
	case "FIRST_ROW":
	case "GIVEN":
		names, ok := f.array("CSVHeaders")
		if !ok && !f.has("CSVHeaders") {
			f.wrong("CSVHeaders", "is missing")
		}
		for _, v := range names {
			name, ok := v.(string)
			if !ok {
				f.wrong("CSVHeaders", "must hold strings")
			}
			r.csv.headers = append(r.csv.headers, name)
		}
		if err := checkHeaders(r.csv.headers); err != nil {
			f.wrong("CSVHeaders", "%v", err)
		}
	case "":
	default:
		f.wrong("CSVHeaderLocation", "must be FIRST_ROW or GIVEN")
	}
}

// listing is an ItemReader with its paths replaced by what they lead to.
type listing struct {
	object  Object
	reader  *itemReader
	most    int
	objects ObjectReader
}

func (r *itemReader) listing(s *step, input any) (*listing, error) {
	v, err := r.parameters.fill(s.scope(input))
	if err != nil {
		return nil, err
	}
	l := &listing{reader: r, objects: s.r.x.Objects}
	for name, into := range map[string]*string{"Bucket": &l.object.Bucket, "Key": &l.object.Key, "VersionId": &l.object.VersionID} {
		if err := textAt(v, name, into); err != nil {
			return nil, err
		}
	}
	most, err := r.most.at(s, 0)
	if l.most = int(most); l.most == 0 {
		l.most = maxListedItems
	}
	return l, err
}

// textAt reads a string member, if it is there.
func textAt(v any, name string, into *string) error {
	o, _ := v.(*object)
	if o == nil {
		return nil
	}
	found, ok := o.get(name)
	if !ok {
		return nil
	}
	text, ok := found.(string)
	if !ok || text == "" {
		return runtimeError("The parameter %s must be a string that is not empty", name)
	}
	*into = text
	return nil
}

// items gives values one after the other, and io.EOF at the end.
type items interface{ next() (any, error) }

// open begins to read. A list that is not what it was when its ETag was noted is refused: children that have run were
// for other items.
func (l *listing) open(ctx context.Context, pinned string) (items, string, io.Closer, error) {
	body, etag, err := l.objects.OpenObject(ctx, l.object)
	if err != nil {
		return nil, "", nil, readerFailure("%s in the bucket %s could not be opened: %v", l.object.Key, l.object.Bucket, err)
	}
	if pinned != "" && etag != pinned {
		return nil, "", nil, errors.Join(readerFailure("%s in the bucket %s has changed while the Map Run was interrupted",
			l.object.Key, l.object.Bucket), body.Close())
	}
	list, err := l.reader.items(body)
	if err != nil {
		return nil, "", nil, errors.Join(l.failure(err), body.Close())
	}
	return &firstItems{list, l, l.most}, etag, body, nil
}

// firstItems ends a list at MaxItems, and names what goes wrong in it.
type firstItems struct {
	items
	listing *listing
	left    int
}

func (f *firstItems) next() (any, error) {
	if f.left == 0 {
		return nil, io.EOF
	}
	f.left--
	v, err := f.items.next()
	if err != nil && err != io.EOF {
		return nil, f.listing.failure(err)
	}
	return v, err
}

func (l *listing) failure(err error) error {
	return readerFailure("%s in the bucket %s is not the %s it should be: %v", l.object.Key, l.object.Bucket,
		l.reader.inputType, err)
}

func readerFailure(format string, args ...any) *Error {
	return &Error{Name: "States.ItemReaderFailed", Cause: fmt.Sprintf(format, args...)}
}
