package archive

import (
	"encoding/json"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// Execution names the execution that a function works for.
type Execution struct {
	ID        string `json:"id"` // the execution's ARN
	Name      string `json:"name"`
	StartTime string `json:"startTime"`
}

// Job names a job at Scenario between the steps.
type Job struct {
	ID        string            `json:"jobId"`
	Endpoint  scenario.Endpoint `json:"endpoint"`
	ProjectID string            `json:"projectId"`
}

// Ref is the job as the client asks for it.
func (j Job) Ref() scenario.JobRef {
	return scenario.JobRef{ID: j.ID, Endpoint: j.Endpoint, ProjectID: j.ProjectID}
}

// Destination is where the archive goes, decided once, at the launch.
type Destination struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	Overwrite bool   `json:"overwrite"`
	// Exclusive says that the key is made from the execution's name, so that no other execution writes it.
	Exclusive bool              `json:"exclusive"`
	Tags      map[string]string `json:"tags,omitempty"`
	// Unpack is where the archive's files go; nil when they stay in it.
	Unpack *Unpacking `json:"unpack,omitempty"`
}

// Age is how long the execution has been running; 0 when its start is not known.
func (e Execution) Age(now time.Time) time.Duration {
	start, err := time.Parse(time.RFC3339, e.StartTime)
	if err != nil {
		return 0
	}
	return max(0, now.Sub(start))
}

// LaunchInput is what the launch function gets. Request is the execution's input as it came. With Find the function
// launches nothing: it looks for the job of a launch whose outcome is not known.
type LaunchInput struct {
	Request   json.RawMessage `json:"request"`
	Execution Execution       `json:"execution"`
	Find      bool            `json:"find"`
}

// For names whom the step is for.
func (in LaunchInput) For() (Execution, string) { return in.Execution, "" }

// LaunchOutput is what the launch function answers.
type LaunchOutput struct {
	Job         Job         `json:"job"`
	LaunchedAt  time.Time   `json:"launchedAt"`
	Deadline    time.Time   `json:"deadline"`
	WaitSeconds int         `json:"waitSeconds"`
	Destination Destination `json:"destination"`
}

// JobID names the job that was launched.
func (o LaunchOutput) JobID() string { return o.Job.ID }

// PollInput is what the poll function gets.
type PollInput struct {
	Job        Job       `json:"job"`
	LaunchedAt time.Time `json:"launchedAt"`
	Deadline   time.Time `json:"deadline"`
	Execution  Execution `json:"execution"`
}

// For names whom the step is for.
func (in PollInput) For() (Execution, string) { return in.Execution, in.Job.ID }

// PollStatus is what the state machine chooses by.
type PollStatus string

// The statuses of a poll. Whatever Scenario calls a job that has not ended is PollRunning.
const (
	PollRunning  PollStatus = "running"
	PollSuccess  PollStatus = "success"
	PollFailure  PollStatus = "failure"
	PollCanceled PollStatus = "canceled"
	PollTimedOut PollStatus = "timed-out"
)

// PollOutput is what the poll function answers. Every field is always there: the state machine names each.
type PollOutput struct {
	Status         PollStatus      `json:"status"`
	ScenarioStatus scenario.Status `json:"scenarioStatus"` // Scenario's own word
	Progress       float64         `json:"progress"`       // 0 to 1
	WaitSeconds    int             `json:"waitSeconds"`    // until the next poll
	ArchiveURL     string          `json:"archiveUrl"`     // signed; set with PollSuccess
	Cause          string          `json:"cause"`          // why the job ended without an archive
}

// TransferInput is what the transfer function gets. Request is the execution's input as it came, which was checked at the
// launch. With Abort it ends the execution's unfinished upload instead.
type TransferInput struct {
	Request     json.RawMessage `json:"request,omitempty"`
	Job         Job             `json:"job"`
	ArchiveURL  string          `json:"archiveUrl"`
	Destination Destination     `json:"destination"`
	Execution   Execution       `json:"execution"`
	Abort       bool            `json:"abort"`
}

// For names whom the step is for.
func (in TransferInput) For() (Execution, string) { return in.Execution, in.Job.ID }

// TransferOutput is what the transfer function answers. Output is set when the transfer is finished; when it is not,
// the function is to be run again and goes on where it was.
type TransferOutput struct {
	Finished   bool    `json:"finished"`
	BytesDone  int64   `json:"bytesDone"`
	BytesTotal int64   `json:"bytesTotal"`
	Output     *Output `json:"output"`
}

// Output is what an execution ends with.
type Output struct {
	Bucket            string `json:"bucket"`
	Key               string `json:"key"`
	Size              int64  `json:"size"` // in bytes
	ETag              string `json:"etag"`
	ChecksumCRC64NVME string `json:"checksumCRC64NVME"` // of the whole object, base64, as S3 verified it
	JobID             string `json:"jobId"`
	Entries           int64  `json:"entries"` // files in the ZIP
	// Requested is how many assets were asked for, each ID once. 0, and not in the JSON, when the request names
	// inferences or models: only Scenario knows how many assets those have.
	Requested int64 `json:"requested,omitempty"`
	// Missing says how many of the requested assets the archive lacks; nil when it has as many files as were asked for,
	// or when that cannot be known.
	Missing *Missing `json:"missing,omitempty"`
	// Unpacked says where the archive's files are as objects; nil when that was not asked for.
	Unpacked *Unpacked `json:"unpacked,omitempty"`
}

// Missing are assets that were asked for and are not in the archive.
type Missing struct {
	Count int64 `json:"count"` // from 1
	// AssetIDs are the missing assets, at most 100, when the names of the archive's files carry IDs.
	AssetIDs []string `json:"assetIds,omitempty"`
}

// Resolve decides where the archive of this request goes. defaultPrefix is used when the request names no place; ""
// means DefaultPrefix. Its error is RequestInvalid.
func (r Request) Resolve(bucket, defaultPrefix, executionName string) (Destination, error) {
	if defaultPrefix == "" {
		defaultPrefix = DefaultPrefix
	}
	key := r.Destination.key(defaultPrefix, executionName)
	if err := checkKey("destination", key); err != nil {
		return Destination{}, err
	}
	unpack, err := r.Unpack.resolve(key, r.Destination.Key == "")
	if err != nil {
		return Destination{}, err
	}
	return Destination{
		Bucket: bucket, Key: key, Overwrite: r.Destination.Overwrite, Tags: r.Destination.Tags,
		Exclusive: r.Destination.Key == "", Unpack: unpack,
	}, nil
}

// Timeout is how long Scenario's job may take.
func (r Request) Timeout() time.Duration {
	if r.TimeoutSeconds == 0 {
		return DefaultTimeoutSeconds * time.Second
	}
	return time.Duration(r.TimeoutSeconds) * time.Second
}
