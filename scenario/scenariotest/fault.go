package scenariotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An Operation is a kind of request.
type Operation string

// The operations that there are.
const (
	OpLaunchArchive  Operation = "launch-archive"  // POST /v1/assets/archive
	OpLaunchDownload Operation = "launch-download" // POST /v1/assets/download
	OpJob            Operation = "job"             // GET /v1/jobs/{id}
	OpJobs           Operation = "jobs"            // GET /v1/jobs
	OpDownloadStatus Operation = "download-status" // GET /v1/assets/download/{id}
	OpCancel         Operation = "cancel"          // POST /v1/jobs/{id}/action
	OpListAssets     Operation = "list-assets"     // GET /v1/assets
	OpBulkAssets     Operation = "bulk-assets"     // POST /v1/assets/get-bulk
	OpAsset          Operation = "asset"           // GET /v1/assets/{id}
	OpArchive        Operation = "archive"         // GET /archives/…
)

// What Fault.Drop can be.
const (
	// DropBefore closes the connection without doing what was asked for.
	DropBefore = "before"
	// DropAfter does what was asked for and closes the connection without an answer.
	DropAfter = "after"
)

// A Fault is one way to misbehave. Several may apply to the same request: then they add up, and of two that set the
// same field the later one counts. Its JSON has the same names, beginning in lower case; latency is a Go duration ("1.5s").
type Fault struct {
	// Operation is the one that misbehaves; empty: every one of the API, which archives are not part of.
	Operation Operation `json:"operation,omitempty"`
	// Skip is how many requests behave well first. Times is how many misbehave then; 0: all.
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`

	// Latency is waited before the request is looked at.
	Latency time.Duration `json:"-"`
	// Status is answered in place of doing anything, with Body (default: an error of the API's shape) and RetryAfter
	// (the header's value; default: none).
	Status     int    `json:"status,omitempty"`
	Body       string `json:"body,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
	// Drop closes the connection: DropBefore or DropAfter.
	Drop string `json:"drop,omitempty"`
	// TruncateBody, if not 0, closes the connection after this many bytes of the answer's body; negative: after none.
	TruncateBody int64 `json:"truncateBody,omitempty"`

	// Outcome is how a job ends that is launched meanwhile: "failure", "canceled", or "stuck" for never. Reason becomes
	// its metadata.error.
	Outcome string `json:"outcome,omitempty"`
	Reason  string `json:"reason,omitempty"`

	// These are for OpArchive.

	// IgnoreRange answers 200 with the whole archive, whatever range is asked for.
	IgnoreRange bool `json:"ignoreRange,omitempty"`
	// Change serves another archive: other bytes, another ETag.
	Change bool `json:"change,omitempty"`
	// Size serves only the archive's first bytes, as if they were all: a file that was cut off in its making.
	Size int64 `json:"size,omitempty"`
	// CutAt closes the connection before the byte at this offset of the archive is sent, in responses that begin before
	// it. Skip and Times count the responses that come to it; such a fault does nothing else.
	CutAt int64 `json:"cutAt,omitempty"`
	// StallAt stops sending before the byte at this offset of the archive, and leaves the connection open until the
	// client closes it. Skip and Times count as for CutAt.
	StallAt int64 `json:"stallAt,omitempty"`
	// ForbidAfter answers 403 to a URL of which this many bytes have been sent; a fresh URL works again.
	ForbidAfter int64 `json:"forbidAfter,omitempty"`
	// Bandwidth bounds each response, in bytes per second.
	Bandwidth int64 `json:"bandwidth,omitempty"`
}

type faultFields Fault // without methods, so that the JSON package does not call them again

// UnmarshalJSON refuses unknown fields: a misspelt fault would behave well.
func (f *Fault) UnmarshalJSON(b []byte) error {
	var wire struct {
		faultFields
		Latency string `json:"latency"`
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return err
	}
	*f = Fault(wire.faultFields)
	if wire.Latency != "" {
		latency, err := time.ParseDuration(wire.Latency)
		if err != nil {
			return fmt.Errorf("latency: %w", err)
		}
		f.Latency = latency
	}
	return f.validate()
}

func (f Fault) validate() error {
	switch f.Operation {
	case "", OpLaunchArchive, OpLaunchDownload, OpJob, OpJobs, OpDownloadStatus, OpCancel, OpListAssets, OpBulkAssets,
		OpAsset, OpArchive:
	default:
		return fmt.Errorf("unknown operation %q", f.Operation)
	}
	switch {
	case f.Drop != "" && f.Drop != DropBefore && f.Drop != DropAfter:
		return fmt.Errorf("drop is %q, not %q or %q", f.Drop, DropBefore, DropAfter)
	case f.Outcome != "" && f.Outcome != statusFailure && f.Outcome != statusCanceled && f.Outcome != outcomeStuck:
		return fmt.Errorf("outcome is %q, not failure, canceled or stuck", f.Outcome)
	case f.CutAt != 0 && f.StallAt != 0:
		return errors.New("a fault cannot have both cutAt and stallAt")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status is %d, not 200 to 599", f.Status)
	}
	return nil
}

// offset is where in an archive the fault is met; 0: not in the midst of a response.
func (f Fault) offset() int64 { return max(f.CutAt, f.StallAt) }

func (f Fault) matches(op Operation) bool {
	return f.Operation == op || f.Operation == "" && op != OpArchive
}

// faults are those in force.
type faults struct {
	mu   sync.Mutex
	list []*countedFault
}

type countedFault struct {
	Fault
	seen int
}

func (c *countedFault) take() bool {
	c.seen++
	return c.seen > c.Skip && (c.Times == 0 || c.seen <= c.Skip+c.Times)
}

func (s *faults) add(list ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range list {
		s.list = append(s.list, &countedFault{Fault: f})
	}
}

func (s *faults) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
}

// take counts a request and gives what applies to it, and apart from that what is met at an offset.
func (s *faults) take(op Operation) (merged Fault, atOffset []*countedFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.list {
		switch {
		case !f.matches(op):
		case f.offset() != 0:
			atOffset = append(atOffset, f)
		case f.take():
			merged.merge(f.Fault)
		}
	}
	return merged, atOffset
}

// reached counts a response that came to the fault's offset.
func (s *faults) reached(f *countedFault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.take()
}

// merge adds what another fault sets.
func (f *Fault) merge(o Fault) {
	f.Latency += o.Latency
	f.IgnoreRange = f.IgnoreRange || o.IgnoreRange
	f.Change = f.Change || o.Change
	override(&f.Status, o.Status)
	override(&f.Body, o.Body)
	override(&f.RetryAfter, o.RetryAfter)
	override(&f.Drop, o.Drop)
	override(&f.TruncateBody, o.TruncateBody)
	override(&f.Outcome, o.Outcome)
	override(&f.Reason, o.Reason)
	override(&f.Size, o.Size)
	override(&f.ForbidAfter, o.ForbidAfter)
	override(&f.Bandwidth, o.Bandwidth)
}

func override[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}
