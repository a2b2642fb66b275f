package asl

import (
	"encoding/json"
	"fmt"
	"io"
)

// itemBatcher is an ItemBatcher: how many items go into one child's input.
type itemBatcher struct {
	items, bytes setting
	input        template // BatchInput; nil: none
}

func compileBatcher(f *fields) *itemBatcher {
	v, ok := f.take("ItemBatcher")
	if !ok {
		return nil
	}
	b := &itemBatcher{}
	batcher, ok := f.c.object(f.where+": ItemBatcher", v)
	if !ok {
		return b
	}
	defer batcher.done()
	batcher.atMostOne("MaxItemsPerBatch", "MaxItemsPerBatchPath")
	batcher.atMostOne("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
	b.items = batcher.setting("MaxItemsPerBatch", 1, maxListedItems, true)
	b.bytes = batcher.setting("MaxInputBytesPerBatch", 1, MaxDataSize, true)
	b.input = batcher.template("BatchInput")
	if !b.items.given && b.items.path == nil && !b.bytes.given && b.bytes.path == nil {
		batcher.problem("needs MaxItemsPerBatch or MaxInputBytesPerBatch")
	}
	return b
}

// batching is an ItemBatcher with its paths replaced by what they lead to.
type batching struct {
	most  int // items in a batch
	bytes int // of a batch as a whole; 0: not limited but by what an input may have
	head  string
}

// size is the batching of a state with this input.
func (b *itemBatcher) size(s *step, input any) (*batching, error) {
	most, err := b.items.at(s, maxListedItems)
	if err != nil {
		return nil, err
	}
	bytes, err := b.bytes.at(s, 0)
	if err != nil {
		return nil, err
	}
	out := &batching{most: int(most), bytes: int(bytes), head: `{"Items":[`}
	if b.input != nil {
		v, err := b.input.fill(s.scope(input))
		if err != nil {
			return nil, err
		}
		out.head = `{"BatchInput":` + encodeJSON(v) + `,"Items":[`
	}
	return out, nil
}

const batchEnd = "]}"

// ChildInput is what one child of a distributed Map state gets.
type ChildInput struct {
	Input json.RawMessage
	Items int // how many items are in it
}

// ChildInputs gives the inputs of a Map Run's children in order, as the list of items is read.
type ChildInputs struct {
	etag   string
	closer io.Closer
	s      *step
	input  any
	state  *distributedBody
	items  items
	batch  *batching // nil: a child for each item
	index  int       // of the item read next
	kept   string    // an item that was read and did not fit into the last batch
	ended  bool
}

// ETag tells the list that is read from others of its name; empty when it is part of the state's input.
func (c *ChildInputs) ETag() string { return c.etag }

// Close ends the reading.
func (c *ChildInputs) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// Next is the next child's input; io.EOF: there is none. Other errors are [*Error] and end the Map Run.
func (c *ChildInputs) Next() (ChildInput, error) {
	if c.batch != nil {
		return c.nextBatch()
	}
	text, err := c.item()
	if err != nil {
		return ChildInput{}, err
	}
	return ChildInput{json.RawMessage(text), 1}, checkChildSize(len(text))
}

// item is the next item's text, after ItemSelector.
func (c *ChildInputs) item() (string, error) {
	if text := c.kept; text != "" {
		c.kept = ""
		return text, nil
	}
	if c.ended { // a decoder that has failed once must not be asked again
		return "", io.EOF
	}
	v, err := c.items.next()
	if err != nil {
		c.ended = true
		return "", err
	}
	if c.state.selector != nil {
		if v, err = c.s.selectItem(c.state.selector, c.input, mapItem(c.index, v), v); err != nil {
			return "", err
		}
	}
	c.index++
	return encodeJSON(v), nil
}

func (c *ChildInputs) nextBatch() (ChildInput, error) {
	b := c.batch
	text := []byte(b.head)
	n := 0
	for n < b.most {
		item, err := c.item()
		if err == io.EOF {
			break
		}
		if err != nil {
			return ChildInput{}, err
		}
		if b.bytes > 0 && n > 0 && len(text)+len(",")+len(item)+len(batchEnd) > b.bytes {
			c.kept = item
			break
		}
		if n > 0 {
			text = append(text, ',')
		}
		text = append(text, item...)
		n++
		if len(text) > MaxDataSize { // no need to read on
			break
		}
	}
	if n == 0 {
		return ChildInput{}, io.EOF
	}
	text = append(text, batchEnd...)
	if b.bytes > 0 && len(text) > b.bytes {
		return ChildInput{}, tooLarge(len(text), b.bytes)
	}
	return ChildInput{text, n}, checkChildSize(len(text))
}

func checkChildSize(n int) error {
	if n <= MaxDataSize {
		return nil
	}
	return tooLarge(n, MaxDataSize)
}

func tooLarge(n, most int) error {
	return &Error{errDataLimit, fmt.Sprintf(
		"The input of a child workflow execution has %d bytes or more, which exceeds the limit of %d.", n, most)}
}
