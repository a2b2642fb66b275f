package executions

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// batchMark begins the names of batches that requests start. It saves a look into the other machine, no more: those
// that people start have any names.
const batchMark = "batch-"

// Lists are what a Starter keeps in the bucket; batch.Storage has them.
type Lists interface {
	// PutList writes asset IDs as a list. The same ones under the same name are always the same list.
	PutList(ctx context.Context, name string, assetIDs []string) (batch.List, error)
	// Claim gives a name to the first of those who ask for it, and returns what that one said it is for.
	Claim(ctx context.Context, name, purpose string) (string, error)
}

// Starter starts what requests ask for: an archive or, for more assets than go into one, a batch of archives.
type Starter struct {
	Archives, Batches *Machine
	Lists             Lists
}

// Prepared is an execution that lacks its name alone.
type Prepared struct {
	Machine *Machine
	Input   string
}

// Prepare decides whether a request is an archive or a batch, and makes the execution's input. A batch's list is put
// into the bucket, under a name that comes from listName. A request that can never work is RequestInvalid.
func (s Starter) Prepare(ctx context.Context, request []byte, listName string) (Prepared, error) {
	if !batch.IsLong(request) {
		r, err := archive.ParseRequest(request)
		if err != nil {
			return Prepared{}, err
		}
		return s.PrepareArchive(r)
	}
	in, err := batch.ParseInput(request)
	if err != nil {
		return Prepared{}, err
	}
	if unique := batch.Unique(in.AssetIDs); len(unique) <= scenario.MaxAssets { // it is long by its repeats alone
		in.Request.Query.AssetIDs = unique
		return s.PrepareArchive(in.Request)
	}
	list, err := s.Lists.PutList(ctx, listName, in.AssetIDs)
	if err != nil {
		return Prepared{}, err
	}
	return s.PrepareBatch(in, list)
}

// PrepareArchive makes the input of one archive.
func (s Starter) PrepareArchive(r archive.Request) (Prepared, error) {
	input, err := Input(r)
	return Prepared{s.Archives, input}, err
}

// PrepareBatch makes the input of a batch of a list in the bucket.
func (s Starter) PrepareBatch(in batch.Input, list batch.List) (Prepared, error) {
	input, err := in.Of(list)
	return Prepared{s.Batches, input}, err
}

// Start starts an execution. With a key, starting with it again gives the same execution, and another request
// under the key is KindOtherInput; without one ("") it is always another execution.
func (s Starter) Start(ctx context.Context, key string, p Prepared, now time.Time) (Execution, error) {
	if key == "" {
		return p.Machine.Start(ctx, s.mark(p.Machine)+UniqueName(now), p.Input)
	}
	if err := s.claim(ctx, key, p.Machine); err != nil {
		return Execution{}, err
	}
	return p.Machine.Start(ctx, s.keyedName(key, p.Machine), p.Input)
}

func (s Starter) mark(m *Machine) string {
	if m == s.Batches {
		return batchMark
	}
	return ""
}

func (s Starter) keyedName(key string, m *Machine) string {
	return Name(s.mark(m)+key, "idempotency key", key)
}

// claim takes a key for one of the machines. Each machine has names of executions of its own; only a name that
// is taken in one place stops an archive and a batch that ask for the same key at the same moment.
func (s Starter) claim(ctx context.Context, key string, m *Machine) error {
	const op = "start the execution"
	purpose, other := "archive", s.Batches
	if m == s.Batches {
		purpose, other = "batch", s.Archives
	}
	taken, err := s.Lists.Claim(ctx, Name("key", "idempotency key", key), purpose)
	if err != nil {
		return err
	}
	if taken != purpose {
		return &Error{Op: op, Kind: KindOtherInput}
	}
	// The bucket forgets before Step Functions does. A failure to look shows when the execution is started.
	if _, err := other.Describe(ctx, s.keyedName(key, other)); err == nil {
		return &Error{Op: op, Kind: KindOtherInput}
	}
	return nil
}

// Find looks an execution up in both machines. Its error has KindNotFound where neither has it.
func (s Starter) Find(ctx context.Context, name string) (m *Machine, e Execution, err error) {
	machines := []*Machine{s.Archives, s.Batches}
	if strings.HasPrefix(name, batchMark) {
		slices.Reverse(machines)
	}
	for _, m = range machines {
		if e, err = m.Describe(ctx, name); !IsKind(err, KindNotFound) {
			return m, e, err
		}
	}
	return nil, e, err
}
