// Command cost writes docs/cost.md from docs/cost/measured.json, after it has counted the transitions anew. Run it in
// the repository's root:
//
//	go run ./docs/cost
//
// With -logs DIR it also takes the functions' durations anew, from the logs of local runs:
//
//	for i in 1 2 3 4 5; do make run; done && go run ./docs/cost -logs .local/logs -on 'the machine' -date 2026-01-31
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	logs := flag.String("logs", "", "`directory` with the functions' logs of local runs")
	on := flag.String("on", "", "the `machine` that was measured")
	date := flag.String("date", "", "the `day` of the measurement")
	flag.Parse()
	if err := run(".", *logs, *on, *date); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(repository, logs, on, date string) error {
	file := filepath.Join(repository, "docs", "cost", "measured.json")
	m, err := read(file)
	if err != nil {
		return err
	}
	if m.Transitions, err = countTransitions(filepath.Join(repository, "statemachine", "testdata")); err != nil {
		return err
	}
	if logs != "" {
		if err := m.measure(logs); err != nil {
			return err
		}
		m.On, m.Date = on, date
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(repository, "docs", "cost.md"), []byte(page(m)), 0o644)
}

func read(file string) (m measured, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

func (m *measured) measure(logs string) error {
	for name, into := range map[string]*milliseconds{"launch": &m.Launch, "poll": &m.Poll, "transfer": &m.Transfer} {
		median, err := fromLogs(filepath.Join(logs, name+".log"))
		if err != nil {
			return err
		}
		*into = median
	}
	return nil
}
