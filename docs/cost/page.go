package main

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"time"
)

//go:embed page.md
var template string

var sizes = []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}

// page is docs/cost.md.
func page(m measured) string {
	t := m.Transitions
	return strings.NewReplacer(
		"{{table}}", table(m), "{{polls}}", pollTable(m), "{{parts}}", partsTable(m),
		"{{archive}}", fmt.Sprint(t.Archive), "{{eachPoll}}", fmt.Sprint(t.EachPoll), "{{eachTransfer}}", fmt.Sprint(t.EachTransfer),
		"{{batch}}", fmt.Sprint(t.Batch), "{{child}}", fmt.Sprint(t.Child),
		"{{launch}}", ms(m.Launch), "{{poll}}", ms(m.Poll), "{{transfer}}", ms(m.Transfer),
		"{{plan}}", ms(m.PlanMillion), "{{manifest}}", ms(m.ManifestMillion), "{{on}}", m.On, "{{date}}", m.Date,
	).Replace(template)
}

func ms(m milliseconds) string {
	if m < 1 {
		return "under 1 ms"
	}
	return fmt.Sprintf("%g ms", float64(m))
}

func table(m measured) string {
	var b strings.Builder
	b.WriteString("| assets | archives | transitions | invocations | GB-s | S3 PUT, LIST | S3 GET, HEAD | cost | with 3 s polls | time |\n")
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range sizes {
		u, guide := m.of(n, polls), m.of(n, guidesPolls)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", number(float64(n)),
			number(math.Ceil(float64(n)/assetsPerArchive)), number(u.Transitions), number(u.Invocations), small(u.GBSeconds),
			number(u.Puts), number(u.Gets), dollars(u.dollars()), dollars(guide.dollars()), span(u.Wall))
	}
	return b.String()
}

// pollTable is what waiting for one job costs, beside the guide's interval.
func pollTable(m measured) string {
	var b strings.Builder
	b.WriteString("| Scenario's job takes | polls | seen late by | cost | polls every 3 s | seen late by | cost |\n")
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, job := range []time.Duration{3 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour} {
		n, seen := polls(job)
		g, guide := guidesPolls(job)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", span(job), number(float64(n)), span(seen-job), dollars(m.polling(n)),
			number(float64(g)), span(guide-job), dollars(m.polling(g)))
	}
	return b.String()
}

func (m measured) polling(n int) float64 {
	seconds := (apiRoundTrip + m.Poll.duration()).Seconds()
	return usage{Transitions: float64(m.Transitions.EachPoll), Invocations: 1, GBSeconds: seconds * smallFunction}.times(float64(n)).dollars()
}

func partsTable(measured) string {
	var b strings.Builder
	b.WriteString("| archive | PUT, LIST | GET, HEAD |\n|---:|---:|---:|\n")
	for _, s := range []struct {
		name string
		size int64
	}{{"8 MiB", 8 * mib}, {"100 MiB", 100 * mib}, {"1 GiB", 1024 * mib}, {"10 GiB", 10 * 1024 * mib}, {"100 GiB", 100 * 1024 * mib}} {
		puts, gets := requests(s.size)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.name, number(puts), number(gets))
	}
	return b.String()
}

// number writes a whole number with commas.
func number(x float64) string {
	digits := fmt.Sprint(int64(math.Ceil(x - 1e-9)))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func small(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.2g", x)
	}
	return number(x)
}

func dollars(x float64) string {
	if x < 1 {
		return fmt.Sprintf("$%.2g", x)
	}
	return fmt.Sprintf("$%.2f", x)
}

// span writes a duration as one would say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", math.Ceil(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", math.Ceil(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", math.Ceil(d.Hours()))
	}
	return fmt.Sprintf("%.0f days", math.Ceil(d.Hours()/24))
}
