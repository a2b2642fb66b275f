package s3

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAccessByItsAuthority(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.pem")
	if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{broken, filepath.Join(dir, "none.pem")} {
		if _, err := (Access{CAFile: file}).HTTPClient(); err == nil {
			t.Errorf("%s was taken", file)
		}
	}
	if _, err := (Access{}).HTTPClient(); err != nil {
		t.Errorf("a public certificate: %v", err)
	}
}
