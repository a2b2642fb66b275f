package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// unpackMemoryRows are to need the same memory, all of them. Those of one size share it among their entries.
func unpackMemoryRows(scale int) []unpackRow {
	rows := []unpackRow{
		{title: "1 GiB, 10 entries", entries: 10, size: 1 << 30 / 10},
		{title: "1 GiB, 200,000 entries", entries: 200_000, size: 1 << 30 / 200_000},
		{title: "20 GiB, 10 entries", entries: 10, size: 20 << 30 / 10},
		{title: "20 GiB, 200,000 entries", entries: 200_000, size: 20 << 30 / 200_000},
		{title: "20 GiB, one entry", entries: 1, size: 20 << 30},
		{title: "20 GiB, one entry, deflated", entries: 1, size: 20 << 30, deflated: true},
	}
	for i := range rows {
		if rows[i].entries > 10 {
			rows[i].entries /= scale
		} else {
			rows[i].size /= int64(scale)
		}
	}
	return rows
}

// measureUnpackMemory unpacks into the sink: neither the disk's room nor its speed count. The entries are zeros: what is stored is a file of holes.
func (s *setup) measureUnpackMemory(ctx context.Context, r *report) error {
	binary, err := s.buildFunction(ctx, "unpack")
	if err != nil {
		return err
	}
	r.sections.WriteString("\n## Memory: unpacking, into the storage that discards objects\n\n| archive | peak RSS | wall | CPU | content a second |\n|---|---|---|---|---|\n")
	for _, row := range unpackMemoryRows(s.scale) {
		one, err := s.measureUnpackMemoryOf(ctx, row, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", row.title, err)
		}
		rate := float64(int64(row.entries)*row.size) / (1 << 20) / one.wall.Seconds()
		fmt.Fprintf(os.Stderr, "unpack-memory %-36s %6.2f s %6.2f CPU-s %4d MiB %4.0f MiB/s\n", row.title, one.wall.Seconds(), one.cpu.Seconds(), one.rss>>20, rate)
		fmt.Fprintf(&r.sections, "| %s | %d MiB | %.1f s | %.1f s | %.0f MiB |\n", row.title, one.rss>>20, one.wall.Seconds(), one.cpu.Seconds(), rate)
	}
	return nil
}

func (s *setup) measureUnpackMemoryOf(ctx context.Context, row unpackRow, binary string) (sample, error) {
	path := filepath.Join(s.dir, "hollow.zip")
	defer os.Remove(path)
	if err := makeZIP(path, row, true); err != nil {
		return sample{}, err
	}
	target, stop, err := s.startSink(path, true)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	return s.unpackByOurs(ctx, binary, target)
}
