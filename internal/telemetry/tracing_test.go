package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"
)

// daemon is a UDP socket where the X-Ray daemon would be.
func daemon(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", conn.LocalAddr().String())
	return conn
}

func invocation(t *testing.T, header string) context.Context {
	//lint:ignore SA1029 aws-lambda-go's key
	return context.WithValue(t.Context(), "x-amzn-trace-id", header)
}

func TestASubsegmentIsSent(t *testing.T) {
	conn := daemon(t)
	before := float64(time.Now().UnixMicro()) / 1e6
	s := BeginSegment(invocation(t, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"), "step")
	s.End(map[string]string{"jobId": "job_1", "execution": ""}, true)
	packet := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := conn.ReadFrom(packet)
	if err != nil {
		t.Fatal(err)
	}
	header, body, _ := bytes.Cut(packet[:n], []byte("\n"))
	if string(header) != `{"format": "json", "version": 1}` {
		t.Errorf("header %s", header)
	}
	var got document
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "step" || got.Type != "subsegment" || got.TraceID != "1-5759e988-bd862e3fe1be46a994272793" ||
		got.ParentID != "53995c3f42cd8ad8" || len(got.ID) != 16 || !got.Fault {
		t.Errorf("got %+v", got)
	}
	if len(got.Annotations) != 1 || got.Annotations["jobId"] != "job_1" {
		t.Errorf("annotations %v", got.Annotations)
	}
	if got.StartTime < before || got.EndTime < got.StartTime {
		t.Errorf("from %f to %f, started after %f", got.StartTime, got.EndTime, before)
	}
}

func TestWhatIsNotTracedSendsNothing(t *testing.T) {
	conn := daemon(t)
	for _, header := range []string{"", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "nonsense;=;Sampled=1"} {
		BeginSegment(invocation(t, header), "step").End(nil, false)
	}
	BeginSegment(t.Context(), "step").End(nil, false)
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", "")
	BeginSegment(invocation(t, "Root=1-1-1;Parent=1;Sampled=1"), "step").End(nil, false)
	// What was sent to this socket before comes before this.
	to, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := to.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := conn.ReadFrom(packet); err != nil || string(packet[:n]) != "last" {
		t.Errorf("got %s, %v", packet[:n], err)
	}
}
