package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func TestTransientFailures(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*fixture){
		"S3 500 on read": func(f *fixture) { f.breaks(failing(http.MethodGet, 500, "InternalError")) },
		"S3 503 on read": func(f *fixture) { f.breaks(failing(http.MethodGet, 503, "SlowDown")) },
		"S3 cut on read": func(f *fixture) { f.breaks(failing(http.MethodGet, 0, "")) },
		"S3 breaks off": func(f *fixture) {
			f.breaks(func(w http.ResponseWriter, r *http.Request, key string) bool {
				if r.Method != http.MethodGet {
					return false
				}
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write([]byte(good[:20]))
				panic(http.ErrAbortHandler)
			})
		},
		"S3 500 on write": func(f *fixture) { f.breaks(failing(http.MethodPut, 500, "InternalError")) },
		"SFN throttles": func(f *fixture) {
			f.sfn.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: 400, Code: "ThrottlingException"} })
		},
		"SFN is cut": func(f *fixture) { f.sfn.Break(func(string) *sfntest.Fault { return &sfntest.Fault{} }) },
	} {
		for _, key := range []string{"requests/a.json", "requests/a.txt", "requests/a.csv"} {
			f := newFixture(t)
			o := f.drop(key, map[string]string{"requests/a.json": good}[key]+strings.Repeat("\n", 30))
			if key != "requests/a.json" {
				o = f.drop(key, "asset_1\n")
			}
			breaks(f)
			err := f.handle(t.Context(), eventBridge(o))
			if !errors.As(err, new(Unfinished)) || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "http://") {
				t.Errorf("%s, %s: got %v", name, key, err)
			}
			if f.note(t, "requests/a.error.json") != nil {
				t.Errorf("%s: what passes is returned as an error", name)
			}
			f.breaks(nil)
			f.sfn.Break(nil)
			if err := f.handle(t.Context(), eventBridge(o)); err != nil || f.sfn.Started() != 1 || f.note(t, "requests/a.status.json") == nil {
				t.Errorf("%s: the next delivery: %v, %d executions", name, err, f.sfn.Started())
			}
		}
	}
}

func failing(method string, status int, code string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != method {
			return false
		}
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		refuse(w, status, code)
		return true
	}
}

func TestPermanentFailuresAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(*fixture)
		error  string
		says   string
	}{
		"S3 refuses the read": {func(f *fixture) {
			f.breaks(func(w http.ResponseWriter, r *http.Request, key string) bool {
				if key == "requests/a.json" {
					refuse(w, http.StatusForbidden, "AccessDenied")
				}
				return key == "requests/a.json"
			})
		}, "DestinationRefused", "AccessDenied"},
		"SFN refuses": {func(f *fixture) {
			f.sfn.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: 400, Code: "StateMachineDoesNotExist"} })
		}, "Misconfigured", "STATE_MACHINE_ARN"},
		"SFN refuses the input": {func(f *fixture) {
			f.sfn.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: 400, Code: "InvalidExecutionInput"} })
		}, "RequestInvalid", "InvalidExecutionInput"},
	} {
		f := newFixture(t)
		o := f.drop("requests/a.json", good)
		c.breaks(f)
		if err := f.handle(t.Context(), eventBridge(o)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if note := f.note(t, "requests/a.error.json"); note["error"] != c.error || !strings.Contains(fmt.Sprint(note["cause"]), c.says) {
			t.Errorf("%s: note %v", name, note)
		}
	}
}

func TestNoteThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.breaks(failing(http.MethodPut, 403, "AccessDenied"))
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", "{}"))); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v: no error", err)
	}
	f.breaks(nil)
	bad := f.drop("requests/a.json", "{}")
	if err := f.handle(t.Context(), eventBridge(bad)); err != nil {
		t.Fatal(err)
	}
	f.breaks(failing(http.MethodDelete, 500, "InternalError"))
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", good))); err == nil {
		t.Error("an error that stays is not logged")
	}
}
