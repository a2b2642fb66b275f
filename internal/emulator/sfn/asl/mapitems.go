package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// itemReader is an ItemReader: which object, a JSON array, lists a Map state's items.
type itemReader struct{ parameters template }

// Object names an object in S3.
type Object struct{ Bucket, Key string }

// ObjectReader reads objects from S3. etag differs where the content differs.
type ObjectReader interface {
	OpenObject(ctx context.Context, o Object) (body io.ReadCloser, etag string, err error)
}

func compileReader(f *fields) *itemReader {
	r := &itemReader{}
	reader, ok := f.sub("ItemReader")
	if !ok {
		return r
	}
	defer reader.done()
	reader.must("Resource", readObjectResource)
	reader.checkParameters("Bucket", "Key")
	r.parameters = reader.template("Parameters")
	if config, ok := reader.sub("ReaderConfig"); ok {
		config.must("InputType", "JSON")
		config.done()
	}
	return r
}

// itemList is an ItemReader with its paths replaced by what they lead to.
type itemList struct {
	object  Object
	objects ObjectReader
}

func (r *itemReader) list(s *step, input any) (*itemList, error) {
	v, err := r.parameters.fill(s.scope(input))
	if err != nil {
		return nil, err
	}
	l := &itemList{objects: s.r.x.Objects}
	return l, textsAt(v, map[string]*string{"Bucket": &l.object.Bucket, "Key": &l.object.Key})
}

// textsAt reads string members, as far as they are there.
func textsAt(v any, members map[string]*string) error {
	o, _ := v.(*object)
	for name, into := range members {
		found, ok := o.get(name)
		if !ok {
			continue
		}
		text, ok := found.(string)
		if !ok || text == "" {
			return runtimeError("The parameter %s must be a string that is not empty", name)
		}
		*into = text
	}
	return nil
}

// ChildInputs gives the inputs of a Map Run's children in order, as the list of items is read: one is in memory.
type ChildInputs struct {
	list  *itemList
	etag  string
	body  io.Closer
	next  func() (any, error)
	ended bool
}

// open begins to read. A list that is not what it was when its ETag was noted is refused: children that have run were
// for other items.
func (l *itemList) open(ctx context.Context, pinned string) (*ChildInputs, error) {
	body, etag, err := l.objects.OpenObject(ctx, l.object)
	if err != nil {
		return nil, l.failure("could not be opened: %v", err)
	}
	if pinned != "" && etag != pinned {
		return nil, errors.Join(l.failure("has changed while the Map Run was interrupted"), body.Close())
	}
	c := &ChildInputs{list: l, etag: etag, body: body}
	if c.next, err = arrayItems(body); err != nil {
		return nil, errors.Join(l.wrong(err), body.Close())
	}
	return c, nil
}

// ETag is that of the list that is read.
func (c *ChildInputs) ETag() string { return c.etag }

// Close ends the reading.
func (c *ChildInputs) Close() error { return c.body.Close() }

// Next is the next child's input, as JSON text; io.EOF: there is none. Other errors are [*Error] and end the Map Run.
func (c *ChildInputs) Next() (json.RawMessage, error) {
	if c.ended { // a decoder that has failed once must not be asked again
		return nil, io.EOF
	}
	v, err := c.next()
	if err != nil {
		c.ended = true
		if err == io.EOF {
			return nil, err
		}
		return nil, c.list.wrong(err)
	}
	text := encodeJSON(v)
	if len(text) > MaxDataSize {
		return nil, &Error{errDataLimit, fmt.Sprintf(
			"The input of a child workflow execution has %d bytes, which exceeds the limit of %d.", len(text), MaxDataSize)}
	}
	return json.RawMessage(text), nil
}

func (l *itemList) failure(format string, args ...any) *Error {
	return &Error{errItemReader, fmt.Sprintf("%s in the bucket %s ", l.object.Key, l.object.Bucket) + fmt.Sprintf(format, args...)}
}

func (l *itemList) wrong(err error) *Error {
	return l.failure("is not the JSON array it should be: %v", err)
}

// arrayItems are the elements of an array.
func arrayItems(r io.Reader) (next func() (any, error), err error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.Join(errors.New("it must be an array"), err)
	}
	return func() (any, error) {
		// A torn list must not be taken for one that ends here: only the array's own end is io.EOF.
		if d.More() {
			v, err := decodeValue(d, 1)
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return v, err
		}
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("the array does not end: %v", err)
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, errors.New("something follows the array")
		}
		return nil, io.EOF
	}, nil
}
