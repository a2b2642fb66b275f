package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

const (
	objectKey = "archive.zip"
	// plainCommand makes this binary the SDK's transfer manager, for one transfer.
	plainCommand = "_plain"
)

// storage is how to reach an S3 server.
type storage struct {
	emulator.Access
	Bucket string
}

func (s storage) client() (*s3.Client, error) {
	by, err := s.HTTPClient()
	return s.Client(by), err
}

// environment is what the AWS CLI and the SDKs read.
func (s storage) environment() []string {
	return []string{
		"AWS_ENDPOINT_URL_S3=" + s.Endpoint, "AWS_CA_BUNDLE=" + s.CAFile,
		"AWS_ACCESS_KEY_ID=" + s.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + s.SecretAccessKey,
		"AWS_REGION=" + s.Region, "AWS_DEFAULT_REGION=" + s.Region, "AWS_CONFIG_FILE=/dev/null",
	}
}

// program is something that moves a URL into S3.
type program struct {
	name string
	run  func(ctx context.Context, url string, s storage) (sample, error)
}

func (s *setup) goPrograms() []program {
	return []program{s.ours(s.concurrency), command("SDK transfer manager", plain)}
}

// command is a program that ends when it is done.
func command(name string, of func(url string, s storage) *exec.Cmd) program {
	return program{name, func(ctx context.Context, url string, at storage) (sample, error) { return measure(ctx, of(url, at)) }}
}

// task is what movePlain has to do, as its process gets it.
type task struct {
	URL     string
	Storage storage
}

func plain(url string, at storage) *exec.Cmd {
	text, _ := json.Marshal(task{url, at})
	return exec.Command(os.Args[0], plainCommand, string(text))
}

// movePlain is what one writes first: a GET whose body goes into the SDK's transfer manager.
func movePlain(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	client, err := t.Storage.client()
	if err != nil {
		return err
	}
	resp, err := http.Get(t.URL)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = transfermanager.New(client).UploadObject(context.Background(), &transfermanager.UploadObjectInput{
		Bucket: &t.Storage.Bucket, Key: aws.String(objectKey), Body: resp.Body,
	})
	return err
}

// findPrograms looks for the others, and notes those that are not to be had.
func (s *setup) findPrograms(ctx context.Context) {
	s.programs = s.goPrograms()
	if path, err := s.buildRclone(ctx); err != nil {
		s.missing = append(s.missing, "rclone copyurl could not be built: "+lastLine(err.Error()))
	} else {
		s.programs = append(s.programs, command("rclone copyurl", func(url string, t storage) *exec.Cmd {
			return rclone(path, t, "copyurl", url, "bench:"+t.Bucket+"/"+objectKey)
		}))
	}
	aws, awsErr := exec.LookPath("aws")
	_, curlErr := exec.LookPath("curl")
	if awsErr != nil || curlErr != nil || exec.CommandContext(ctx, aws, "--version").Run() != nil {
		s.missing = append(s.missing, "curl | aws s3 cp - : curl or the AWS CLI is not installed")
		return
	}
	s.programs = append(s.programs, command("curl | aws s3 cp -", s.pipe))
}

// buildRclone takes the version that go.mod names.
func (s *setup) buildRclone(ctx context.Context) (string, error) {
	path := filepath.Join(s.dir, "rclone")
	fmt.Fprintln(os.Stderr, "building rclone (once: some minutes; from the build cache afterwards)")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/rclone/rclone").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
}

// rclone knows the storage as the remote "bench".
func rclone(path string, t storage, args ...string) *exec.Cmd {
	cmd := exec.Command(path, append([]string{"--config", "", "--ca-cert", t.CAFile}, args...)...)
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG_BENCH_TYPE=s3", "RCLONE_CONFIG_BENCH_PROVIDER=Other",
		"RCLONE_CONFIG_BENCH_ENDPOINT="+t.Endpoint, "RCLONE_CONFIG_BENCH_REGION="+t.Region,
		"RCLONE_CONFIG_BENCH_ACCESS_KEY_ID="+t.AccessKeyID, "RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY="+t.SecretAccessKey)
	return cmd
}

func (s *setup) pipe(url string, t storage) *exec.Cmd {
	cmd := exec.Command("bash", "-c", `set -o pipefail; curl -sSf "$1" | aws s3 cp - "$2" --endpoint-url "$3" --expected-size "$4" --only-show-errors`,
		"bash", url, "s3://"+t.Bucket+"/"+objectKey, t.Endpoint, fmt.Sprint(s.size))
	cmd.Env = append(os.Environ(), t.environment()...)
	return cmd
}
