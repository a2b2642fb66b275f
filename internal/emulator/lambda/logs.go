package lambda

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxLine is the largest event of CloudWatch Logs, in bytes; a longer line is split.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxLine = 256 * 1024

func (e *environment) log(text string) {
	if log := e.function.service.options.Log; log != nil {
		log(e.function.Name, text)
	}
}

func (e *environment) logEnd(inv *invocation, a answer, took, initTime time.Duration) {
	ms := float64(took) / float64(time.Millisecond)
	report := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB",
		inv.id, ms, math.Ceil(ms), e.function.MemoryMB)
	if kib := peakMemory(e.cmd.Process.Pid); kib > 0 {
		report += fmt.Sprintf("\tMax Memory Used: %d MB", (kib+1023)/1024)
	}
	if initTime > 0 {
		report += fmt.Sprintf("\tInit Duration: %.2f ms", float64(initTime)/float64(time.Millisecond))
	}
	if a.functionError != "" {
		report += "\tStatus: error"
	}
	e.log("END RequestId: " + inv.id)
	e.log(report)
}

// peakMemory returns the largest resident size that a process has had, in KiB, or 0 where the system does not report it.
func peakMemory(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, _ := strconv.Atoi(number)
	return kib
}

// lineWriter cuts what is written to it into lines. os/exec writes from one goroutine; flush comes from another.
type lineWriter struct {
	emit func(string)

	mu      sync.Mutex
	pending []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			w.add(p)
			break
		}
		w.add(p[:end])
		w.emitPending()
		p = p[end+1:]
	}
	return n, nil
}

func (w *lineWriter) add(p []byte) {
	for len(w.pending)+len(p) > maxLine {
		room := maxLine - len(w.pending)
		w.pending = append(w.pending, p[:room]...)
		w.emitPending()
		p = p[room:]
	}
	w.pending = append(w.pending, p...)
}

func (w *lineWriter) emitPending() {
	w.emit(strings.TrimSuffix(string(w.pending), "\r"))
	w.pending = w.pending[:0]
}

// flush emits what has no line end yet.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) > 0 {
		w.emitPending()
	}
}
