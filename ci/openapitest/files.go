package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// files is a bucket in memory: the list of an unpacked archive's files, and the definitions of syncs.
type files struct {
	bucket.S3
	mu      sync.Mutex
	objects map[string][]byte
	code    string // the error that every call ends with
}

func newFiles() *files {
	text := ""
	for _, name := range []string{"hero.png", "villain.mp4", "stage.glb"} {
		text += fmt.Sprintf(`{"name":%q,"key":"characters/heroes/%s","size":9,"contentType":"image/png","crc32":"00000000"}`+"\n", name, name)
	}
	return &files{objects: map[string][]byte{
		"characters/heroes/contents.jsonl": []byte(text),
		"syncs/everything.json":            []byte(`{"select":{}}`),
		"syncs/everything.status.json": []byte(`{"status":"failed","startedAt":"2026-01-02T15:04:05Z","endedAt":"2026-01-02T15:05:05Z",` +
			`"full":true,"counts":{"listed":2,"gone":1},"failed":[{"assetId":"a","error":"AssetFailed","cause":"so"}],"error":"Unauthorized","cause":"the key is refused"}`),
	}}
}

// failure has every call end with an error of that code; "" ends that.
func (f *files) failure(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code = code
}

// fails makes an error as S3 answers it; nil for no code.
func fails(code string) error {
	status := map[string]int{"AccessDenied": 403, "InternalError": 500, "NoSuchKey": 404, "PreconditionFailed": 412, "InvalidRange": 416}[code]
	if code == "" {
		return nil
	}
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code},
	}
}

const etag = `"contents"`

func (f *files) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, ok := f.objects[*in.Key]
	var from int
	_, ranged := fmt.Sscanf(aws.ToString(in.Range), "bytes=%d-", &from)
	given := aws.ToString(in.IfMatch)
	switch {
	case f.code != "":
		return nil, fails(f.code)
	case !ok:
		return nil, fails("NoSuchKey")
	case given != "" && given != etag:
		return nil, fails("PreconditionFailed")
	case ranged == nil && from >= len(body):
		return nil, fails("InvalidRange")
	}
	return &s3.GetObjectOutput{ETag: aws.String(etag), Body: io.NopCloser(bytes.NewReader(body[from:])),
		ContentLength: aws.Int64(int64(len(body) - from))}, nil
}

func (f *files) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		err = fails(f.code)
	}
	if _, there := f.objects[*in.Key]; there && in.IfNoneMatch != nil && err == nil {
		err = fails("PreconditionFailed")
	}
	if err != nil {
		return nil, err
	}
	f.objects[*in.Key] = body
	return &s3.PutObjectOutput{ETag: aws.String(etag)}, nil
}

func (f *files) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &s3.ListObjectsV2Output{}
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		if strings.HasPrefix(key, aws.ToString(in.Prefix)) && key > aws.ToString(in.StartAfter) {
			out.Contents = append(out.Contents, types.Object{Key: &key, Size: aws.Int64(int64(len(f.objects[key])))})
		}
	}
	return out, fails(f.code)
}
