package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func environment(store *s3test.Server) map[string]string {
	return map[string]string{"BUCKET": store.Bucket, "AWS_ENDPOINT_URL_S3": store.Endpoint,
		"AWS_REGION": store.Region, "AWS_ACCESS_KEY_ID": store.AccessKeyID, "AWS_SECRET_ACCESS_KEY": store.SecretAccessKey,
		"AWS_CA_BUNDLE": store.CAFile, "LOG_LEVEL": "debug", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "UNPACK_CONCURRENCY": "8", "PROGRESS_INTERVAL": "1s"}
}

// inProcess is the function's logic without the process.
func inProcess(t *testing.T, store *s3test.Server) func(archive.UnpackInput) (archive.UnpackOutput, error) {
	t.Helper()
	for name, value := range environment(store) {
		t.Setenv(name, value)
	}
	logic, err := fromEnvironment(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return func(in archive.UnpackInput) (archive.UnpackOutput, error) {
		return logic(t.Context(), slog.New(slog.DiscardHandler), in)
	}
}

// putArchive is an archive in the bucket, with this method of compression, and the event that asks for its unpacking.
func putArchive(t *testing.T, store *s3test.Server, method uint16, keep bool) archive.UnpackInput {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"folder/asset_a.png", "asset_b.json"} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte("content of " + name))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	for i := range data[:len(data)-4] { // as if every entry were compressed so
		if string(data[i:i+4]) == "PK\x01\x02" {
			data[i+10] = byte(method)
		}
	}
	key := "a/b.zip"
	out, err := store.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &store.Bucket, Key: &key, Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	return archive.UnpackInput{
		Job: archive.Job{ID: "job_1"}, Archive: &archive.Output{Bucket: store.Bucket, Key: key, ETag: *out.ETag, Entries: 2},
		Destination: archive.Destination{Bucket: store.Bucket, Key: key, Unpack: &archive.Unpacking{Prefix: "a/b/", KeepArchive: keep}},
		Execution:   archive.Execution{ID: "arn:1", Name: "héros"},
	}
}

func TestUnpack(t *testing.T) {
	store := s3test.Start(t)
	f := lambdatest.Start(t, environment(store))
	in := putArchive(t, store, zip.Store, false)
	answer := f.Invoke(t, in)
	var out archive.UnpackOutput
	if err := json.Unmarshal(answer.Body, &out); err != nil || answer.Failed || !out.Finished {
		t.Fatalf("got %s\n%s", answer.Body, f.Logs())
	}
	want := archive.Unpacked{Prefix: "a/b/", Objects: 2, Bytes: 52, Contents: "a/b/contents.jsonl"}
	if out.Output.Unpacked == nil || *out.Output.Unpacked != want || out.Output.Entries != 2 || out.ObjectsTotal != 2 || out.BytesTotal != 52 {
		t.Errorf("got %s", answer.Body)
	}
	if data, ok := store.Object(t, "a/b/folder/asset_a.png"); !ok || string(data) != "content of folder/asset_a.png" {
		t.Errorf("the object: %q, %v", data, ok)
	}
	if _, ok := store.Object(t, in.Destination.Key); ok {
		t.Error("the archive was to be deleted, and is there")
	}
	key := "a/b/asset_b.json"
	head, err := store.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &store.Bucket, Key: &key})
	if err != nil || *head.ContentType != "application/json" || *head.ContentDisposition != "inline; filename=asset_b.json" ||
		head.Metadata["scenario-execution"] != "h%C3%A9ros" || head.Metadata["scenario-archive"] != "a/b.zip" || head.Metadata["scenario-job-id"] != "job_1" {
		t.Errorf("the object's metadata: %+v, %v", head, err)
	}
	again := f.Invoke(t, in)
	if again.Failed || string(again.Body) != string(answer.Body) {
		t.Errorf("run again: %s; the first time: %s", again.Body, answer.Body)
	}
}

func TestNamedErrors(t *testing.T) {
	store := s3test.Start(t)
	unpack := inProcess(t, store)
	in := putArchive(t, store, 12, false)
	wantError := func(name archive.Name, in archive.UnpackInput, says ...string) {
		t.Helper()
		_, err := unpack(in)
		if archive.NameOf(err) != name {
			t.Errorf("got %v; want %s", err, name)
			return
		}
		for _, text := range says {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q does not say %q", err, text)
			}
		}
	}
	wantError(archive.ArchiveUnsupported, in, "asset_a.png", "bzip2", "0 of ")
	if _, ok := store.Object(t, in.Destination.Key); !ok {
		t.Error("the archive is gone")
	}
	other := in
	other.Archive = &archive.Output{ETag: `"0"`}
	wantError(archive.ArchiveChanged, other)
	other = in
	other.Destination.Bucket = "theirs"
	wantError(archive.RequestInvalid, other, "theirs")
	other = in
	other.Destination.Unpack = nil
	wantError(archive.RequestInvalid, other, "destination.unpack")
}

// Aborting is no error when there is nothing left.
func TestAbort(t *testing.T) {
	store := s3test.Start(t)
	unpack := inProcess(t, store)
	in := putArchive(t, store, zip.Store, true)
	abort := in
	abort.Abort, abort.Archive = true, nil
	if _, err := unpack(abort); err != nil {
		t.Error(err)
	}
	out, err := unpack(in)
	if err != nil || !out.Finished || out.Output.Unpacked.Objects != 2 {
		t.Errorf("unpacked afterwards: %+v, %v", out, err)
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]map[string]string{
		"BUCKET":             {},
		"PROGRESS_INTERVAL":  {"BUCKET": "b", "PROGRESS_INTERVAL": "often"},
		"UNPACK_CONCURRENCY": {"BUCKET": "b", "UNPACK_CONCURRENCY": "0"},
	} {
		if _, err := fromEnvironment(func(n string) string { return values[n] }); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
