package asl

import (
	"context"
	"encoding/json"
)

// MapRunner has the children of Map states run. The result is the state's result before ResultSelector. A failure of the
// Map Run is an [*Error]; what it returns when ctx has ended does not count. RunMap is called again with the same ARN
// when the Map Run was interrupted, or is redriven.
type MapRunner interface {
	RunMap(ctx context.Context, m MapRun) (json.RawMessage, error)
}

// MapRun is what a MapRunner is asked to do.
type MapRun struct {
	ARN, Label string
	Execution  ExecutionInfo // whose state it is
	Machine    *Machine      // of the children
	Redrive    bool          // the Map Run ended without success: redrive it

	MaxConcurrency      int     // children at once
	ToleratedPercentage float64 // of the items that may fail

	// Open begins to read the children's inputs. pinned is what ETag gave the first time, empty the first time.
	Open    func(ctx context.Context, pinned string) (*ChildInputs, error)
	Results Place // where the children's results are written
}

// Place is where a ResultWriter writes: objects whose keys start with Prefix.
type Place struct{ Bucket, Prefix string }
