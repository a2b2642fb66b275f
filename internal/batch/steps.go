package batch

import (
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// PlanInput is what the plan function gets. Request is the execution's input as it came; RedriveCount distinguishes one
// attempt of an execution from the next.
type PlanInput struct {
	Request      json.RawMessage   `json:"request"`
	Execution    archive.Execution `json:"execution"`
	RedriveCount int               `json:"redriveCount"`
}

// For names whom the step is for.
func (in PlanInput) For() (archive.Execution, string) { return in.Execution, "" }

// Plan is what the plan function answers, small enough for the state machine to carry.
type Plan struct {
	// Work is the prefix of this attempt's own files:
	// WorkPrefix/<execution's name>-<digest of its ARN>/<redrive count>/.
	Work string `json:"work"`
	// Lines is how many lines of the list were read, the header and blank ones counted; 0 when the request has the IDs.
	Lines      int `json:"lines,omitempty"`
	Assets     int `json:"assets"`     // IDs in the list, each counted once
	Duplicates int `json:"duplicates"` // IDs left out because they came again
	Archives   int `json:"archives"`   // archives that the list makes
	Finished   int `json:"finished"`   // of them, those that an earlier run left in the bucket
	ToDo       int `json:"toDo"`       // archives minus finished: what the map has to do
	// MaxConcurrency is how many archives are made at once.
	MaxConcurrency int `json:"maxConcurrency"`
	// ToleratedFailurePercentage, 0 to 100: the map stops, and the batch fails, when more archives failed.
	ToleratedFailurePercentage float64 `json:"toleratedFailurePercentage"`
	// Items is the file that the map reads: a JSON array of an Item for each archive.
	Items Object `json:"items"`
	// Results is where the map writes the results of its children.
	Results Place `json:"results"`
	// Manifest is the object that the manifest function writes.
	Manifest Object `json:"manifest"`
	// RedriveCount is the attempt that the plan is for.
	RedriveCount int `json:"redriveCount"`
}

// Object is an object in S3.
type Object struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Place is a prefix in S3.
type Place struct {
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix"`
}

// Item is an element of the file that the map reads, the input of one child: an archive, and what its execution is asked
// for.
type Item struct {
	PlannedArchive
	Request ItemRequest `json:"request"`
}

// ItemRequest is an archive's request. Every field is always there: the state machine names each.
type ItemRequest struct {
	Query          ItemQuery               `json:"query"`
	Options        scenario.ArchiveOptions `json:"options"`
	ProjectID      string                  `json:"projectId"`
	TimeoutSeconds int                     `json:"timeoutSeconds"`
	Destination    ItemDestination         `json:"destination"`
	Unpack         archive.UnpackRequest   `json:"unpack"`
}

// ItemQuery are the archive's assets.
type ItemQuery struct {
	AssetIDs []string `json:"assetIds"`
}

// ItemDestination is where the archive goes.
type ItemDestination struct {
	Key       string            `json:"key"`
	Overwrite bool              `json:"overwrite"`
	Tags      map[string]string `json:"tags"`
}

// PlannedArchive is an archive of the plan.
type PlannedArchive struct {
	Number int    `json:"number"` // from 1
	Key    string `json:"key"`
	// Execution is the name of the archive's execution. It is kept in the object's metadata, and has a digest of what is in it.
	Execution string `json:"execution"`
	Assets    int    `json:"assets"`
}

// ManifestInput is what the manifest function gets.
type ManifestInput struct {
	State        State             `json:"state"`
	Execution    archive.Execution `json:"execution"`
	RedriveCount int               `json:"redriveCount"`
}

// State is what the state machine carries after the map. Failure is there when the map itself failed.
type State struct {
	Plan    Plan        `json:"plan"`
	Failure *MapFailure `json:"mapError"`
}

// MapFailure is how Step Functions says that a map failed.
type MapFailure struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// For names whom the step is for.
func (in ManifestInput) For() (archive.Execution, string) { return in.Execution, "" }

// ManifestOutput is what the manifest function answers. Again means that the execution was redriven and there is work
// left: plan again. Otherwise Output is set.
type ManifestOutput struct {
	Again  bool    `json:"again"`
	Output *Output `json:"output"`
}

// Output is what a batch ends with.
type Output struct {
	Bucket   string `json:"bucket"`
	Manifest string `json:"manifest"` // the manifest's key
	Complete bool   `json:"complete"` // every asset is in an archive
	Totals   Totals `json:"totals"`
}

// Totals sum a batch up.
type Totals struct {
	Archives   int   `json:"archives"`        // finished
	Failed     int   `json:"failed"`          // archives that are missing
	Lines      int   `json:"lines,omitempty"` // of the list; see Plan
	Assets     int   `json:"assets"`          // asked for, each counted once
	Duplicates int   `json:"duplicates"`
	Missing    int   `json:"missing"` // assets of the archives that are missing
	Size       int64 `json:"size"`    // bytes of all finished archives
	Entries    int64 `json:"entries"` // files in all finished archives
}
