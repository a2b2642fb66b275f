package transfer

import (
	"context"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// opener gives the bytes of an archive from off on, n of them.
type opener = zipfile.Opener

// readZIP checks that the archive's directory is whole and accounts for the archive, and counts its entries.
func readZIP(ctx context.Context, open opener, size int64) (entries int64, err error) {
	d, err := zipfile.Read(ctx, open, size)
	if e := (*zipfile.Error)(nil); errors.As(err, &e) {
		return 0, &Error{Op: "read ZIP directory", Kind: KindCorrupt, Reason: e.Reason}
	}
	return d.Entries, err
}

// attemptZIP reads the directory until that succeeds or fails for good.
func attemptZIP(ctx context.Context, b *failure.Budget, op string, open opener, size int64) (int64, error) {
	for n := 0; ; n++ {
		entries, err := readZIP(ctx, open, size)
		if err == nil {
			return entries, nil
		}
		kind := KindSourceUnavailable
		if op == "read back" {
			kind = KindStorageUnavailable
		}
		if err := b.Wait(ctx, failure.As(op, kind, err), n); err != nil {
			return 0, err
		}
	}
}
