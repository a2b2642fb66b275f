package harness

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Peaks are the most memory that processes have had, by their programs' names, and how many of each ran at once.
type Peaks struct {
	mu     sync.Mutex
	kib    map[string]int
	atOnce map[string]int
}

func newPeaks() *Peaks { return &Peaks{kib: map[string]int{}, atOnce: map[string]int{}} }

// watch looks at the processes and all that they started until stopped is closed. VmHWM is a process's own record, so
// that a look now and then misses only what a process gets in its last moments.
func (p *Peaks) watch(stopped <-chan struct{}, roots ...int) {
	for {
		p.look(roots)
		select {
		case <-stopped:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p *Peaks) look(roots []int) {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	status := map[int]map[string]string{}
	for _, file := range files {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		status[pid] = fields(string(text))
		parents[pid], _ = strconv.Atoi(status[pid]["PPid"])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := map[string]int{}
	for pid, s := range status {
		if !descends(parents, pid, roots) {
			continue
		}
		kib, _ := strconv.Atoi(strings.TrimSuffix(s["VmHWM"], " kB"))
		name := s["Name"]
		p.kib[name] = max(p.kib[name], kib)
		now[name]++
		p.atOnce[name] = max(p.atOnce[name], now[name])
	}
}

func fields(text string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		m[name] = strings.TrimSpace(value)
	}
	return m
}

func descends(parents map[int]int, pid int, roots []int) bool {
	for ; pid > 1; pid = parents[pid] {
		if slices.Contains(roots, pid) {
			return true
		}
	}
	return false
}

// tools build the programs and are none of them.
var tools = []string{"go", "compile", "link", "asm", "vet"}

// Print writes a Markdown table of them.
func (p *Peaks) Print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Printf("| program | most memory of one process (VmHWM) | at once |\n|---|---:|---:|\n")
	for _, name := range slices.Sorted(maps.Keys(p.kib)) {
		if slices.Contains(tools, name) {
			continue
		}
		fmt.Printf("| %s | %.1f MiB | %d |\n", name, float64(p.kib[name])/1024, p.atOnce[name])
	}
	fmt.Println()
}
