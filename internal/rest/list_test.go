package rest

import (
	"net/url"
	"strings"
	"testing"
)

func (f *fixture) list(t *testing.T, target string) (ids []string, next string) {
	t.Helper()
	a := f.do(t, "GET", target, "")
	if a.status != 200 {
		t.Fatalf("%s: %d %s", target, a.status, a.raw)
	}
	for _, v := range a.body["archives"].([]any) {
		ids = append(ids, v.(map[string]any)["id"].(string))
	}
	next, _ = a.body["links"].(map[string]any)["next"].(string)
	if link := a.header.Get("Link"); link != "" && link != "<"+next+`>; rel="next"` || (link == "") != (a.body["cursor"] == nil) {
		t.Errorf("Link %q beside %s", link, a.raw)
	}
	return ids, next
}

func TestList(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if ids, next := f.list(t, "/archives"); len(ids) != 0 || next != "" {
		t.Errorf("empty: %v %q", ids, next)
	}
	var all []string
	for range 5 {
		all = append([]string{f.archive(t)}, all...)
	}
	f.sfn.Finish(t, all[1], "FAILED", "E", "c")
	f.sfn.Finish(t, all[3], "SUCCEEDED", `{}`)
	for target, want := range map[string][]string{
		"/archives":                                all,
		"/archives?limit=2":                        all,
		"/archives?limit=5":                        all,
		"/archives?status=running&limit=1":         {all[0], all[2], all[4]},
		"/archives?status=failed":                  {all[1]},
		"/archives?status=succeeded":               {all[3]},
		"/archives?status=timed-out":               nil,
		"/archives?status=stopped&X-Amz-Expires=1": nil,
	} {
		var got []string
		next := target
		for next != "" {
			var ids []string
			ids, next = f.list(t, next)
			got = append(got, ids...)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: got %v, want %v", target, got, want)
		}
	}
	if n := f.sfn.Calls("DescribeExecution") + f.sfn.Calls("GetExecutionHistory"); n != 0 {
		t.Errorf("%d calls for single executions: a list is to cost one", n)
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.archive(t)
	f.archive(t)
	_, next := f.list(t, "/archives?status=running&limit=1")
	for query, says := range map[string]string{
		"status=RUNNING":               "it must be running",
		"status=":                      "it must be running",
		"status=running&status=failed": "2 times",
		"limit=0":                      "from 1 to 100",
		"limit=101":                    "from 1 to 100",
		"limit=ten":                    "from 1 to 100",
		"limit=%2B5":                   "from 1 to 100",
		"limit=":                       "from 1 to 100",
		"limit=99999999999999999999":   "from 1 to 100",
		"cursor=":                      "begin again",
		"cursor=!":                     "begin again",
		"cursor=" + cursor(listQuery{kind: "archive", status: "odd"}, "token-1"): "begin again",
		"cursor=" + cursor(listQuery{kind: "archive"}, ""):                       "begin again",
		"cursor=" + strings.Repeat("A", 6001):                                    "begin again",
		"cursor=" + cursor(listQuery{kind: "archive"}, "forged"):                 "begin again",
		"cursor=" + cursor(listQuery{kind: "odd"}, "token-1"):                    "begin again",
		"kind=": "it must be archive or batch",
		"kind=batch&" + strings.TrimPrefix(next, "/archives?"):    "another kind",
		"status=failed&" + strings.TrimPrefix(next, "/archives?"): "another status",
		"statsu=failed&Limit=1":                                   `"Limit", "statsu"`,
		"a=%zz":                                                   "percent-encoded",
		"a;b":                                                     "percent-encoded",
	} {
		f.do(t, "GET", "/archives?"+query, "").problem(t, 400, errParameterInvalid, says)
	}
}

func TestCursorKeepsItsStatus(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 3 {
		f.archive(t)
	}
	_, next := f.list(t, "/archives?status=running&limit=2")
	u, err := url.Parse(next)
	if err != nil || u.Query().Get("limit") != "2" {
		t.Fatalf("%s: %v", next, err)
	}
	if ids, _ := f.list(t, next+"&status=running"); len(ids) != 1 {
		t.Errorf("got %v", ids)
	}
}
