package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const objectKey = "archive.zip"

// program is something that moves a URL into S3.
type program struct {
	name    string
	command func(url string, s storage) *exec.Cmd
}

func (s *setup) ours(concurrency int) program { return s.child("ours", "_ours", concurrency) }

func (s *setup) goPrograms() []program {
	return []program{s.ours(s.concurrency), s.child("SDK transfer manager", "_plain", 16)}
}

func (s *setup) child(name, argument string, concurrency int) program {
	return program{name, func(url string, target storage) *exec.Cmd {
		text, _ := json.Marshal(task{URL: url, Key: objectKey, Concurrency: concurrency, Storage: target})
		return exec.Command(s.self, argument, "-task", string(text))
	}}
}

// findPrograms looks for the others, and notes those that are not to be had.
func (s *setup) findPrograms(ctx context.Context) {
	s.programs = s.goPrograms()
	if path, err := s.buildRclone(ctx); err != nil {
		s.missing = append(s.missing, "rclone copyurl could not be built: "+lastLine(err.Error()))
	} else {
		s.programs = append(s.programs, program{"rclone copyurl", func(url string, t storage) *exec.Cmd { return rclone(path, url, t) }})
	}
	aws, awsErr := exec.LookPath("aws")
	_, curlErr := exec.LookPath("curl")
	if awsErr != nil || curlErr != nil || exec.CommandContext(ctx, aws, "--version").Run() != nil {
		s.missing = append(s.missing, "curl | aws s3 cp - : curl or the AWS CLI is not installed")
		return
	}
	s.programs = append(s.programs, program{"curl | aws s3 cp -", func(url string, t storage) *exec.Cmd { return s.pipe(url, t) }})
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

func rclone(path, url string, t storage) *exec.Cmd {
	cmd := exec.Command(path, "--config", "", "--ca-cert", t.CAFile, "copyurl", url, "bench:"+t.Bucket+"/"+objectKey)
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG_BENCH_TYPE=s3", "RCLONE_CONFIG_BENCH_PROVIDER=Other",
		"RCLONE_CONFIG_BENCH_ENDPOINT="+t.Endpoint, "RCLONE_CONFIG_BENCH_REGION="+t.Region,
		"RCLONE_CONFIG_BENCH_ACCESS_KEY_ID="+t.AccessKeyID, "RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY="+t.SecretAccessKey)
	return cmd
}

func (s *setup) pipe(url string, t storage) *exec.Cmd {
	cmd := exec.Command("bash", "-c", `set -o pipefail; curl -sSf "$1" | aws s3 cp - "$2" --endpoint-url "$3" --expected-size "$4" --only-show-errors`,
		"bash", url, "s3://"+t.Bucket+"/"+objectKey, t.Endpoint, fmt.Sprint(s.size))
	cmd.Env = append(os.Environ(), "AWS_CA_BUNDLE="+t.CAFile, "AWS_ACCESS_KEY_ID="+t.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+t.SecretAccessKey, "AWS_REGION="+t.Region, "AWS_DEFAULT_REGION="+t.Region, "AWS_CONFIG_FILE=/dev/null")
	return cmd
}
