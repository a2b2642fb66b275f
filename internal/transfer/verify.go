package transfer

import (
	"context"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// opener gives the bytes of an archive from off on, n of them.
type opener = zipfile.Opener

// maxName is how much of a file's name is kept, in bytes; it may have 64 KiB.
const maxName = 1024

// contents is what an archive's directory says of its files.
type contents struct {
	entries int64
	names   []string // if there are fewer than expected
}

// readZIP checks that the archive's directory is whole and accounts for the archive, and that it has the files which o
// asks for.
func readZIP(ctx context.Context, open opener, size int64, o Object) (contents, error) {
	d, err := zipfile.Read(ctx, open, size)
	if e := (*zipfile.Error)(nil); errors.As(err, &e) {
		return contents{}, &Error{Op: "read ZIP directory", Kind: KindCorrupt, Reason: e.Reason}
	}
	c := contents{entries: d.Entries}
	switch {
	case err != nil:
		return contents{}, err
	case d.Entries < o.Least:
		return contents{}, failure.New("read ZIP directory", KindIncomplete, "the archive has %d files of at least %d", d.Entries, o.Least)
	case d.Entries < o.Expected:
		err = d.Walk(ctx, open, func(e *zipfile.Entry) error {
			c.names = append(c.names, string(e.Name[:min(len(e.Name), maxName)]))
			return nil
		})
	}
	return c, err
}

// attemptZIP reads the directory until that succeeds or fails for good.
func attemptZIP(ctx context.Context, b *failure.Budget, op string, open opener, size int64, o Object) (contents, error) {
	for n := 0; ; n++ {
		c, err := readZIP(ctx, open, size, o)
		if err == nil {
			return c, nil
		}
		kind := KindSourceUnavailable
		if op == "read back" {
			kind = KindStorageUnavailable
		}
		if err := b.Wait(ctx, failure.As(op, kind, err), n); err != nil {
			return contents{}, err
		}
	}
}
