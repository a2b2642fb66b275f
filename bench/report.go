package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

type report struct {
	setup    *setup
	sections strings.Builder
	memory   []memoryRow
	cold     []coldStart
	failures []string
	reported int64 // bytes of free memory that the machine gave back to its host meanwhile
}

type memoryRow struct {
	size     int64
	inFlight int
	sample   sample
}

// add makes a table. Ratios are to ours: 2.0 takes twice as long.
func (r *report) add(title string, programs []program, samples map[string][]sample) {
	fmt.Fprintf(&r.sections, "\n## %s\n\n", title)
	r.sections.WriteString("| program | wall, median (least to most) | to ours | CPU | to ours | peak RSS | runs |\n|---|---|---|---|---|---|---|\n")
	ours := samples["ours"]
	for _, p := range programs {
		got := samples[p.name]
		name := strings.ReplaceAll(p.name, "|", `\|`) // a bar would end the cell
		if len(got) == 0 {
			fmt.Fprintf(&r.sections, "| %s | failed | | | | | 0 |\n", name)
			continue
		}
		v := summarize(got)
		wallRatio, cpuRatio := "", ""
		if len(ours) > 0 {
			o := summarize(ours)
			wallRatio, cpuRatio = ratio(v.wall, o.wall), ratio(v.cpu, o.cpu)
		}
		fmt.Fprintf(&r.sections, "| %s | %.2f s (%.2f to %.2f) | %s | %.2f s | %s | %d MiB | %d |\n", name,
			v.wall.Seconds(), v.least.Seconds(), v.most.Seconds(), wallRatio, v.cpu.Seconds(), cpuRatio, v.rss>>20, len(got))
	}
}

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", a.Seconds()/b.Seconds()) }

func (r *report) write(path string) error {
	var b strings.Builder
	kernel, _ := exec.Command("uname", "-s").Output()
	fmt.Fprintf(&b, "# Measurements\n\n`make bench` wrote this on %s: %d cores (%s), %s, %s.\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), runtime.GOARCH, strings.TrimSpace(string(kernel)), runtime.Version())
	if r.setup.archive != "" {
		fmt.Fprintf(&b, "The archive has %d MiB; source, storage and the programs share the cores. Storage is versitygw on the local disk, over\n"+
			"TLS. Runs are in turns, and so is who begins.\n", r.setup.size>>20)
	}
	if r.reported > 1<<30 {
		fmt.Fprintf(&b, "\n**Not steady:** meanwhile this virtual machine gave %d GiB of free memory back to its host, and programs that took memory\n"+
			"next waited for it. As root, `echo 11 > /sys/module/page_reporting/parameters/page_reporting_order` stops that.\n", r.reported>>30)
	}
	b.WriteString(r.sections.String())
	if len(r.memory) > 0 {
		b.WriteString("\n## Memory: ours, 25 MiB/s for each connection, into the storage that discards parts\n\n| archive | in flight at most | peak RSS | wall | CPU |\n|---|---|---|---|---|\n")
		for _, m := range r.memory {
			fmt.Fprintf(&b, "| %d GiB | %d | %d MiB | %.1f s | %.1f s |\n", m.size>>30, m.inFlight, m.sample.rss>>20, m.sample.wall.Seconds(), m.sample.cpu.Seconds())
		}
	}
	b.WriteString(coldSection(r.cold, r.setup.under))
	if notes := append(r.setup.missing, r.failures...); len(notes) > 0 {
		b.WriteString("\n## What could not be run\n\n")
		for _, n := range notes {
			fmt.Fprintf(&b, "- %s\n", n)
		}
	}
	fmt.Print(b.String())
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
