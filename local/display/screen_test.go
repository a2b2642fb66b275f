package display

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlainScreenWritesNoEscapeCodes(t *testing.T) {
	t.Parallel()
	s, out, c := newTestScreen(false, false)
	task := s.Task("building")
	s.redraw()
	s.Line("one %d", 1)
	c.advance(19 * time.Second)
	s.redraw() // too soon for a sign of life
	c.advance(time.Second)
	task.Detail("module")
	s.redraw()
	s.redraw()
	if took := task.End(); took != 20*time.Second {
		t.Errorf("the task took %v", took)
	}
	c.advance(time.Minute)
	s.redraw()
	s.Failure("JobFailed", "why", "where")
	s.Problem(errors.New("no disk"))
	s.Close()
	want := "one 1\nstill building, 20 s (module)\n\nJobFailed: why\nWhat to do: " + hints["JobFailed"] + "\nwhere\nerror: no disk\n"
	if out.text() != want {
		t.Errorf("got  %q\nwant %q", out.text(), want)
	}
}

func TestTerminalHasOneLiveLineBelowTheOthers(t *testing.T) {
	t.Parallel()
	s, out, c := newTestScreen(true, false)
	first := s.Task("building")
	second := s.Task("fetching")
	c.advance(3 * time.Second)
	s.Line("a line that stays")
	lines := out.lines()
	if want := []string{"a line that stays", "⠋ building, 3.0 s · fetching, 3.0 s"}; !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	first.End()
	s.redraw()
	if last := out.lines()[1]; last != "⠙ fetching, 3.0 s" {
		t.Errorf("live line %q", last)
	}
	second.End()
	if last := out.lines()[1]; last != "" {
		t.Errorf("live line %q after the last task", last)
	}
	if strings.Contains(out.text(), "\x1b[3") {
		t.Error("colours without leave")
	}
}

func TestLiveLineFitsTheWidth(t *testing.T) {
	t.Parallel()
	s, out, _ := newTestScreen(true, false)
	s.Task(strings.Repeat("long ", 40))
	if n := len([]rune(out.lines()[0])); n >= 60 {
		t.Errorf("%d columns on a terminal of 60: it would wrap", n)
	}
}

func TestCloseErasesTheLiveLine(t *testing.T) {
	t.Parallel()
	s, out, _ := newTestScreen(true, true)
	s.Task("building")
	s.Close()
	s.Close()
	s.redraw()
	s.Line("after")
	if got, want := out.lines(), []string{"after", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestColoursOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{true, false} {
		s, out, _ := newTestScreen(true, color)
		s.Failure("JobFailed", "why", "")
		if got := strings.Contains(out.text(), "\x1b[31m"); got != color {
			t.Errorf("colours %t: %q", color, out.text())
		}
	}
}

func TestScreenOfAFileIsPlain(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := NewScreen(file, func(string) string { return "" })
	task := s.Task("building")
	time.Sleep(3 * redrawEvery)
	task.End()
	s.Line("done")
	s.Close()
	if text, _ := os.ReadFile(file.Name()); string(text) != "done\n" || s.terminal {
		t.Errorf("got %q", text)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                                     "0 ms",
		99900 * time.Microsecond:              "99 ms",
		100 * time.Millisecond:                "0.1 s",
		1400 * time.Millisecond:               "1.4 s",
		9949 * time.Millisecond:               "9.9 s",
		9950 * time.Millisecond:               "10 s",
		59400 * time.Millisecond:              "59 s",
		59600 * time.Millisecond:              "1 min 00 s",
		185 * time.Second:                     "3 min 05 s",
		3599*time.Second + 600e6:              "1 h 00 min",
		2*time.Hour + 10*time.Minute + 29*1e9: "2 h 10 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 25168566: "24.0 MiB", 1 << 30: "1.0 GiB", 3 << 40: "3.0 TiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
