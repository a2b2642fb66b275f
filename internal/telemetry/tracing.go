package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"strings"
	"time"
)

// Segment is a subsegment under way, with annotations by which the steps of one job are found. It goes to the daemon in the
// Lambda environment over UDP as the X-Ray documentation describes
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html): the SDKs that could do it are no longer
// developed, or many times as large as the functions.
type Segment struct {
	name   string
	trace  string
	parent string
	start  time.Time
	daemon string
}

// BeginSegment begins a step's subsegment. Where the invocation is not traced, or not in Lambda, End does nothing.
func BeginSegment(ctx context.Context, name string) Segment {
	s := Segment{name: name, start: time.Now(), daemon: os.Getenv("AWS_XRAY_DAEMON_ADDRESS")}
	header, _ := ctx.Value("x-amzn-trace-id").(string) // where aws-lambda-go puts it
	sampled := false
	for field := range strings.SplitSeq(header, ";") {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "Root":
			s.trace = value
		case "Parent":
			s.parent = value
		case "Sampled":
			sampled = value == "1"
		}
	}
	if !sampled {
		s.daemon = ""
	}
	return s
}

// document is a subsegment document that is sent on its own.
type document struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	TraceID     string            `json:"trace_id"`
	ParentID    string            `json:"parent_id"`
	Type        string            `json:"type"`
	StartTime   float64           `json:"start_time"`
	EndTime     float64           `json:"end_time"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Fault       bool              `json:"fault,omitempty"`
}

// End ends it. Annotations are indexed by X-Ray: letters, digits and underscores in their names; empty ones are left
// out. A trace that is lost is no reason to fail, so there is no error.
func (s Segment) End(annotations map[string]string, failed bool) {
	if s.daemon == "" || s.trace == "" || s.parent == "" {
		return
	}
	kept := map[string]string{}
	for name, value := range annotations {
		if value != "" {
			kept[name] = value
		}
	}
	body, err := json.Marshal(document{
		Name: s.name, ID: newID(), TraceID: s.trace, ParentID: s.parent, Type: "subsegment",
		StartTime: seconds(s.start), EndTime: seconds(time.Now()), Annotations: kept, Fault: failed,
	})
	if err != nil {
		return
	}
	conn, err := net.Dial("udp", s.daemon)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write(append([]byte("{\"format\": \"json\", \"version\": 1}\n"), body...))
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
