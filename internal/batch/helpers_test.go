package batch

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// testBucket is a bucket of a real S3 server.
type testBucket struct {
	*s3test.Server
	t *testing.T
}

func newBucket(t *testing.T) testBucket {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an S3 server")
	}
	return testBucket{s3test.Start(t), t}
}

func (b testBucket) storage() Storage { return Storage{bucket.Bucket{S3: b.Client, Name: b.Bucket}} }

func (b testBucket) put(key, content string, metadata map[string]string) {
	b.t.Helper()
	_, err := b.Client.PutObject(b.t.Context(), &s3.PutObjectInput{
		Bucket: &b.Bucket, Key: &key, Body: strings.NewReader(content), Metadata: metadata, ChecksumAlgorithm: "CRC64NVME",
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b testBucket) get(key string) string {
	b.t.Helper()
	content, ok := b.Object(b.t, key)
	if !ok {
		b.t.Fatalf("there is no %s", key)
	}
	return string(content)
}

func (b testBucket) has(key string) bool {
	b.t.Helper()
	_, ok := b.Object(b.t, key)
	return ok
}

func (b testBucket) delete(key string) {
	b.t.Helper()
	if _, err := b.Client.DeleteObject(b.t.Context(), &s3.DeleteObjectInput{Bucket: &b.Bucket, Key: &key}); err != nil {
		b.t.Fatal(err)
	}
}

// vanishing is S3 in which an object goes between its listing and the look at it.
type vanishing struct {
	bucket.S3
	key string
}

func (v vanishing) HeadObject(ctx context.Context, in *s3.HeadObjectInput, o ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	if *in.Key == v.key {
		return nil, &types.NotFound{}
	}
	return v.S3.HeadObject(ctx, in, o...)
}

// putArchive leaves what the archive's execution would.
func (b testBucket) putArchive(u PlannedArchive, entries int) archive.Output {
	b.t.Helper()
	job := "job_" + fmt.Sprint(u.Number)
	b.put(u.Key, zipOf(b.t, entries), map[string]string{
		metadataExecution: url.PathEscape(u.Execution), metadataJob: url.PathEscape(job),
	})
	there, err := b.storage().lookAt(b.t.Context(), u.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	there.output.Entries = int64(entries)
	return *there.output
}

func zipOf(t *testing.T, entries int) string {
	t.Helper()
	var content bytes.Buffer
	z := zip.NewWriter(&content)
	for i := range entries {
		if w, err := z.Create(fmt.Sprintf("folder/asset_%04d_with_a_long_name_%s.png", i, strings.Repeat("x", 200))); err != nil {
			t.Fatal(err)
		} else if _, err := w.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return content.String()
}

func (b testBucket) plan(name string, redrive int, input string) (Plan, error) {
	b.t.Helper()
	in, err := ParseInput([]byte(input))
	if err != nil {
		b.t.Fatal(err)
	}
	return Planner{Storage: b.storage()}.Plan(b.t.Context(), in, executionNamed(name), redrive)
}

func (b testBucket) mustPlan(name string, redrive int, input string) Plan {
	b.t.Helper()
	p, err := b.plan(name, redrive, input)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func executionNamed(name string) archive.Execution {
	return archive.Execution{ID: "arn:aws:states:us-east-1:000000000000:execution:batch:" + name, Name: name}
}

// items reads a plan's items as the map does.
func (b testBucket) items(p Plan) (items []Item) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.get(p.Items.Key)), &items); err != nil {
		b.t.Fatal(err)
	}
	return items
}

func (i Item) ids() []string { return i.Request.Query.AssetIDs }

func ids(from, to int) (ids []string) {
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf("asset_%06d", i))
	}
	return ids
}

func inline(list []string, rest string) string {
	text, _ := json.Marshal(list)
	return fmt.Sprintf(`{"query":{"assetIds":%s}%s}`, text, rest)
}

func errorName(err error) string { return string(archive.NameOf(err)) }

func optionsOf(template string) scenario.ArchiveOptions {
	return scenario.ArchiveOptions{FileNameTemplate: template}
}
