package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// listed is what was read of a list.
type listed struct {
	ids        []string // without repeats, in their order
	duplicates int
	lines      int
	// more says that the list has other IDs, or may have: the batch reads it from its beginning.
	more bool
}

// readList reads the IDs of a list until it has those of one archive. Memory is that of one archive's IDs, whatever the
// list's size.
func readList(r io.Reader, f batch.Format) (l listed, err error) {
	list := batch.NewReader(&batch.Limit{R: r, Left: maxScan, Full: errScanned}, f)
	seen := map[string]bool{}
	for id, err := range list.IDs() {
		switch {
		case errors.Is(err, errScanned) && len(l.ids) == 0:
			return l, invalid("the list's first %d bytes have no asset ID; remove what is none", maxScan)
		case errors.Is(err, errScanned):
			l.more = true
			return l, nil
		case err != nil:
			return l, readError(err)
		case seen[id]:
			l.duplicates++
			continue
		case len(l.ids) == scenario.MaxAssets:
			l.more = true
			return l, nil
		}
		seen[id] = true
		l.ids = append(l.ids, id)
	}
	l.lines = list.Lines()
	if len(l.ids) == 0 {
		return l, invalid("the list has no asset IDs; put one on each line")
	}
	return l, nil
}

// quote shows what somebody sent, but not all of it.
func quote(s string) string { return fmt.Sprintf("%.80q", s) }

// errScanned says that a list was not read further.
var errScanned = errors.New("more than is looked at")

// readError distinguishes a body that broke off from a list that is wrong.
func readError(err error) error {
	if archive.NameOf(err) != "" {
		return asTransient(err)
	}
	return broken(err)
}
