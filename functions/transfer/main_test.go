package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

func env(m map[string]string) func(string) string { return func(name string) string { return m[name] } }

func TestOptions(t *testing.T) {
	t.Parallel()
	got, err := options(env(map[string]string{
		"ALLOWED_ARCHIVE_HOSTS": "cdn.example.com, *.example.org", "SOURCE_ALLOW_LOOPBACK_HTTP": "true",
		"PROGRESS_INTERVAL": "250ms", "RANGES_IN_FLIGHT": "16", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
	}))
	want := transfer.Options{
		AllowedHosts: []string{"cdn.example.com", "*.example.org"}, AllowLoopback: true,
		ProgressInterval: 250 * time.Millisecond, Concurrency: 16, MaxMemory: 256 << 20,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	got, err = options(env(nil))
	if want := (transfer.Options{ProgressInterval: 10 * time.Second}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("nothing set: got %+v, %v; want %+v", got, err, want)
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"BUCKET": "", "PROGRESS_INTERVAL": "often", "RANGES_IN_FLIGHT": "0", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much",
	} {
		m := map[string]string{"BUCKET": "bucket"}
		m[name] = value
		if _, err := fromEnvironment(env(m)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: got %v", name, value, err)
		}
	}
}
