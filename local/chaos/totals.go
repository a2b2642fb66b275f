package main

import (
	"fmt"
	"maps"
	"slices"
)

// totals count what happened.
type totals struct {
	schedules     int
	actions, ends map[string]int
	leftOut       string // what could not be done here
}

func newTotals() *totals { return &totals{actions: map[string]int{}, ends: map[string]int{}} }

func (t *totals) print(o options) {
	fmt.Printf("## %d schedules of %d archives, seeds from %d\n\n", t.schedules, o.archives, o.seed)
	fmt.Printf("Every execution ended with the exact object, or with a named error and no object. No job was launched twice, no upload and no process was left.\n\n")
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
