package s3

import (
	"fmt"
	"os"
)

// prepareDirs makes the data directory and answers the directory for metadata when the file system cannot keep it in
// extended attributes, or "" when it can.
func prepareDirs(c Config) (sidecar string, err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	ok, err := hasXattr(c.Dir)
	if err != nil {
		return "", fmt.Errorf("local S3: %s cannot be written: %w", c.Dir, err)
	}
	if ok {
		return "", nil
	}
	sidecar = c.Dir + ".meta"
	fmt.Fprintf(c.Log, "%s has no extended attributes: objects' metadata goes to %s\n", c.Dir, sidecar)
	if err := os.MkdirAll(sidecar, 0o755); err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	return sidecar, nil
}

func hasXattr(dir string) (bool, error) {
	f, err := os.CreateTemp(dir, ".xattr-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	return setXattr(f.Name()) == nil, nil
}
