package sfntest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Objects is an S3 in memory, for the items and the results of distributed Map states. Its zero value is empty.
type Objects struct {
	mu      sync.Mutex
	objects map[string][]byte // by bucket/key
}

// Put writes an object.
func (o *Objects) Put(bucket, key, content string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.objects == nil {
		o.objects = map[string][]byte{}
	}
	o.objects[bucket+"/"+key] = []byte(content)
}

// Get reads an object.
func (o *Objects) Get(bucket, key string) (content string, exists bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text, ok := o.objects[bucket+"/"+key]
	return string(text), ok
}

// OpenObject is for the emulator.
func (o *Objects) OpenObject(_ context.Context, at asl.Object) (io.ReadCloser, string, error) {
	text, ok := o.Get(at.Bucket, at.Key)
	if !ok {
		return nil, "", fmt.Errorf("there is no object %s", at.Key)
	}
	sum := md5.Sum([]byte(text))
	return io.NopCloser(bytes.NewReader([]byte(text))), hex.EncodeToString(sum[:]), nil
}

// PutObject is for the emulator.
func (o *Objects) PutObject(_ context.Context, bucket, key string, body io.ReadSeeker, _ int64) error {
	text, err := io.ReadAll(body)
	if err == nil {
		o.Put(bucket, key, string(text))
	}
	return err
}
