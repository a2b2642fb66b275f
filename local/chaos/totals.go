package main

import (
	"fmt"
	"maps"
	"slices"
)

// totals count what happened.
type totals struct {
	schedules     int
	batches       int
	archives      int // planned, those of batches included
	jobs          int
	actions, ends map[string]int
	leftOut       string // what could not be done here
}

func newTotals() *totals { return &totals{actions: map[string]int{}, ends: map[string]int{}} }

func (t *totals) print(o options) {
	fmt.Printf("## %d schedules, seeds from %d: %d archives, %d batches among them, %d jobs\n\n", t.schedules, o.seed, t.archives, t.batches, t.jobs)
	fmt.Printf("Every archive ended with the exact object, or with a named error and no object; every asset of a batch is in one archive of its manifest. No job was launched twice, no upload and no process was left.\n\n")
	if t.leftOut != "" {
		fmt.Printf("Left out: %s.\n\n", t.leftOut)
	}
	table("what went wrong", t.actions)
	table("how executions ended", t.ends)
}

func table(title string, counts map[string]int) {
	fmt.Printf("| %s | times |\n|---|---:|\n", title)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("| %s | %d |\n", name, counts[name])
	}
	fmt.Println()
}
