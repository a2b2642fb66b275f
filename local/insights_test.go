package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// insightsRow is a line of a log or a row of a result, by field.
type insightsRow map[string]any

// insights evaluates as much of CloudWatch Logs Insights' language as the documented queries use ("CloudWatch Logs
// Insights language query syntax", CloudWatch Logs User Guide). What it does not know is an error.
func insights(query string, rows []insightsRow) (result []insightsRow, named []string, err error) {
	result = rows
	for command := range strings.SplitSeq(query, "|") {
		word, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
		var used []string
		switch word {
		case "fields":
			used = list(rest)
		case "filter":
			result, used, err = insightsFilter(rest, result)
		case "stats":
			result, used, err = insightsCount(rest, result)
		case "sort":
			field, order, _ := strings.Cut(rest, " ")
			if order != "" && order != "asc" && order != "desc" {
				return nil, nil, fmt.Errorf("sort %q", rest)
			}
			result, used = insightsSort(field, order == "desc", result), []string{field}
		case "limit":
			n, convErr := strconv.Atoi(rest)
			result, err = result[:min(n, len(result))], convErr
		default:
			err = fmt.Errorf("what is %q?", command)
		}
		if err != nil {
			return nil, nil, err
		}
		named = append(named, used...)
	}
	return result, named, nil
}

func list(text string) (names []string) {
	for name := range strings.SplitSeq(text, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

var insightsEqual = regexp.MustCompile(`^([\w@.]+) = ("[^"]*"|\d+)$`)

func insightsFilter(text string, rows []insightsRow) (kept []insightsRow, used []string, err error) {
	kept = slices.Clone(rows)
	for term := range strings.SplitSeq(text, " and ") {
		m := insightsEqual.FindStringSubmatch(strings.TrimSpace(term))
		if m == nil {
			return nil, nil, fmt.Errorf("filter %q", term)
		}
		var want any
		if err := json.Unmarshal([]byte(m[2]), &want); err != nil {
			return nil, nil, err
		}
		used = append(used, m[1])
		kept = slices.DeleteFunc(kept, func(r insightsRow) bool { return r[m[1]] != want })
	}
	return kept, used, nil
}

var insightsStats = regexp.MustCompile(`^count\(\*\) as (\w+) by (\w+), bin\((\w+)\)$`)

func insightsCount(text string, rows []insightsRow) (groups []insightsRow, used []string, err error) {
	m := insightsStats.FindStringSubmatch(text)
	if m == nil {
		return nil, nil, fmt.Errorf("stats %q", text)
	}
	width, err := time.ParseDuration(m[3])
	if err != nil {
		return nil, nil, err
	}
	bin := "bin(" + m[3] + ")"
	for _, r := range rows {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(r["@timestamp"]))
		if err != nil {
			return nil, nil, err
		}
		key := at.Truncate(width).String()
		i := slices.IndexFunc(groups, func(g insightsRow) bool { return g[m[2]] == r[m[2]] && g[bin] == any(key) })
		if i < 0 {
			groups, i = append(groups, insightsRow{m[2]: r[m[2]], bin: key, m[1]: 0.0}), len(groups)
		}
		groups[i][m[1]] = groups[i][m[1]].(float64) + 1
	}
	return groups, []string{m[2]}, nil
}

func insightsSort(field string, down bool, rows []insightsRow) []insightsRow {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b insightsRow) int {
		var c int
		if x, ok := a[field].(float64); ok {
			y, _ := b[field].(float64)
			c = cmp.Compare(x, y)
		} else {
			c = cmp.Compare(fmt.Sprint(a[field]), fmt.Sprint(b[field]))
		}
		if down {
			return -c
		}
		return c
	})
	return rows
}

func TestInsightsRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	rows := []insightsRow{{"a": "x", "@timestamp": "2026-01-01T00:00:00Z"}}
	for _, query := range []string{"parse a", "filter a > 1", "filter a = b", "stats avg(a) by a", "sort a up", "limit x", `filter a = "x" | dedup a`} {
		if _, _, err := insights(query, rows); err == nil {
			t.Errorf("%q is taken", query)
		}
	}
}

// section is a part of a document, from its heading to the next.
func section(t *testing.T, path, heading string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", path, heading)
	}
	part, _, _ := strings.Cut(after, "\n## ")
	return part
}

// logLines are the JSON lines of all functions, as CloudWatch discovers their fields.
func logLines(t *testing.T, dir string) (rows []insightsRow) {
	t.Helper()
	for _, name := range []string{"launch", "poll", "transfer"} {
		f, err := os.Open(filepath.Join(dir, "logs", name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			_, line, _ := strings.Cut(lines.Text(), " ")
			r := insightsRow{}
			if !strings.HasPrefix(line, "{") {
				for _, known := range []string{"START ", "END ", "REPORT "} { // Lambda's own
					line = strings.TrimPrefix(line, known)
				}
				if !strings.HasPrefix(line, "RequestId: ") {
					t.Errorf("%s logs a line that is not JSON: %s", name, line)
				}
				continue
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v in %s", name, err, line)
			}
			r["@timestamp"] = r["time"]
			rows = append(rows, r)
		}
	}
	return rows
}

// The queries of docs/operations.md, tried on the logs of real runs, and its table of fields beside what is logged.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t, "-stand-in", "-job-duration 100ms")
	for name, request := range map[string]string{"good": twoAssets, "bad": `{"query":{"assetIds":["asset_fail"]}}`, "wrong": `{"query":{}}`} {
		start(t, env, name, request)
		l.follow(t.Context(), "-id", name)
	}
	stop()
	rows := logLines(t, l.dir)
	fields := documentedFields(t, rows)

	var queries []string
	for block := range strings.SplitSeq(section(t, "../docs/operations.md", "## Queries for CloudWatch Logs Insights"), "\n\n") {
		if strings.HasPrefix(block, "    ") {
			queries = append(queries, strings.ReplaceAll(strings.TrimSpace(block), `"NAME"`, `"good"`))
		}
	}
	if len(queries) != 3 {
		t.Fatalf("%d queries", len(queries))
	}
	results := make([][]insightsRow, len(queries))
	for i, query := range queries {
		result, named, err := insights(query, rows)
		if err != nil {
			t.Fatalf("%s\n%v", query, err)
		}
		for _, name := range named {
			if !fields[name] && name != "failures" {
				t.Errorf("%s\nno line has %s", query, name)
			}
		}
		results[i] = result
	}

	functions := map[any]bool{}
	for _, r := range results[0] {
		functions[r["function"]] = true
		if r["execution"] != any("good") {
			t.Errorf("a line of another execution: %v", r)
		}
	}
	if len(functions) != 3 || !slices.IsSortedFunc(results[0], func(a, b insightsRow) int {
		return cmp.Compare(a["@timestamp"].(string), b["@timestamp"].(string))
	}) {
		t.Errorf("one execution: functions %v", functions)
	}
	failures := map[any]any{}
	for _, r := range results[1] {
		failures[r["Error"]] = r["failures"]
	}
	if len(results[1]) != 2 || failures["JobFailed"] != any(1.0) || failures["RequestInvalid"] != any(1.0) {
		t.Errorf("failures: %v", results[1])
	}
	if len(results[2]) != 1 || results[2][0]["execution"] != any("good") || results[2][0]["durationMs"].(float64) <= 0 {
		t.Errorf("transfers: %v", results[2])
	}
}

// documentedFields are those of the lines, which the documentation must explain.
func documentedFields(t *testing.T, rows []insightsRow) map[string]bool {
	t.Helper()
	fields := map[string]bool{"@timestamp": true}
	for _, r := range rows {
		for name := range r {
			fields[name] = true
		}
	}
	documented := section(t, "../docs/operations.md", "## Log fields") + section(t, "../docs/operations.md", "## Metrics") + "`@timestamp`"
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !strings.Contains(documented, "`"+name+"`") {
			t.Errorf("docs/operations.md does not say what %s is", name)
		}
	}
	return fields
}
