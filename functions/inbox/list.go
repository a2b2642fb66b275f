package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// readList reads the IDs of a list, without repeats and in their order, until it has those of one archive. more says
// that there are others, or may be: what is left is the batch's to read. Memory is that of one archive's IDs, whatever
// the list's size.
func readList(r io.Reader, f batch.Format) (ids []string, more bool, err error) {
	list := batch.NewReader(&scanLimit{r: r}, f)
	seen := map[string]bool{}
	for {
		id, err := list.Next()
		switch {
		case err == io.EOF && len(ids) == 0:
			return nil, false, invalid("the list has no asset IDs; put one on each line")
		case err == io.EOF:
			return ids, false, nil
		case errors.Is(err, errScanned) && len(ids) == 0:
			return nil, false, invalid("the list's first %d bytes have no asset ID; remove what is none", maxScan)
		case errors.Is(err, errScanned):
			return ids, true, nil
		case err != nil:
			return nil, false, readError(err)
		case seen[id]:
			continue
		case len(ids) == scenario.MaxAssets:
			return ids, true, nil
		}
		seen[id] = true
		ids = append(ids, id)
	}
}

// quote shows what somebody sent, but not all of it.
func quote(s string) string { return fmt.Sprintf("%.80q", s) }

// errScanned says that a list was not read further.
var errScanned = errors.New("more than is looked at")

// scanLimit ends the look at a list that goes on without giving other IDs.
type scanLimit struct {
	r    io.Reader
	read int64
}

func (s *scanLimit) Read(p []byte) (int, error) {
	if s.read >= maxScan {
		return 0, errScanned
	}
	n, err := s.r.Read(p)
	s.read += int64(n)
	return n, err
}

// readError tells a body that broke off from a list that is wrong.
func readError(err error) error {
	if archive.NameOf(err) != "" {
		return err
	}
	return broken(err)
}
