package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Object names an object in S3.
type Object struct{ Bucket, Key string }

// ObjectReader reads objects from S3. etag differs where the content differs.
type ObjectReader interface {
	OpenObject(ctx context.Context, o Object) (body io.ReadCloser, etag string, err error)
}

// ChildInputs gives the inputs of a Map Run's children in order, as the list of items, a JSON array, is read: one is in
// memory.
type ChildInputs struct {
	list  Object
	etag  string
	body  io.Closer
	items *json.Decoder
	ended bool
}

// openItems begins to read. A list that is not what it was when its ETag was noted is refused: children that have run
// were for other items.
func openItems(ctx context.Context, objects ObjectReader, list Object, pinned string) (*ChildInputs, error) {
	body, etag, err := objects.OpenObject(ctx, list)
	c := &ChildInputs{list: list, etag: etag, body: body}
	if err != nil {
		return nil, c.failure("could not be opened: %v", err)
	}
	if pinned != "" && etag != pinned {
		return nil, errors.Join(c.failure("has changed while the Map Run was interrupted"), body.Close())
	}
	c.items = json.NewDecoder(body)
	c.items.UseNumber()
	if t, err := c.items.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.Join(c.wrong(errors.Join(errors.New("it must be an array"), err)), body.Close())
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
	v, err := c.item()
	if err != nil {
		c.ended = true
		if err == io.EOF {
			return nil, err
		}
		return nil, c.wrong(err)
	}
	text := encodeJSON(v)
	if len(text) > MaxDataSize {
		return nil, &Error{errDataLimit, fmt.Sprintf(
			"The input of a child workflow execution has %d bytes, which exceeds the limit of %d.", len(text), MaxDataSize)}
	}
	return json.RawMessage(text), nil
}

// item is the next item. A torn list must not be taken for one that ends here: only the array's own end is io.EOF.
func (c *ChildInputs) item() (any, error) {
	if c.items.More() {
		v, err := readValue(c.items, 1)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return v, err
	}
	if _, err := c.items.Token(); err != nil {
		return nil, fmt.Errorf("the array does not end: %v", err)
	}
	if _, err := c.items.Token(); err != io.EOF {
		return nil, errors.New("something follows the array")
	}
	return nil, io.EOF
}

func (c *ChildInputs) failure(format string, args ...any) *Error {
	return &Error{errItemReader, fmt.Sprintf("%s in the bucket %s ", c.list.Key, c.list.Bucket) + fmt.Sprintf(format, args...)}
}

func (c *ChildInputs) wrong(err error) *Error {
	return c.failure("is not the JSON array it should be: %v", err)
}
