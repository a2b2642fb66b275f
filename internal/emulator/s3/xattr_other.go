//go:build !linux && !darwin

package s3

import "errors"

func setXattr(string) error { return errors.ErrUnsupported }
