// Package display shows what happens: lines that stay, and on a terminal one live line below them.
// Where there is no terminal, or a dumb one, it writes plain lines without any escape code.
package display

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// Screen is the terminal, or the file that standard error goes to. Its methods may be called from many goroutines.
type Screen struct {
	out      io.Writer
	terminal bool
	color    bool
	width    func() int
	now      func() time.Time
	stop     func() // of the redrawing

	mu    sync.Mutex
	drawn bool // a live line is on the terminal
	tasks []*Task
	turn  int // of the spinner
}

const (
	redrawEvery  = 100 * time.Millisecond
	defaultWidth = 80
)

// NewScreen makes a screen of out. It is treated as a terminal when out is one and TERM is not dumb; colours are used
// there unless NO_COLOR is set (https://no-color.org).
func NewScreen(out io.Writer, getenv func(string) string) *Screen {
	s := &Screen{out: out, width: func() int { return defaultWidth }, now: time.Now}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb" {
		s.terminal = true
		s.color = getenv("NO_COLOR") == ""
		s.width = func() int { return terminalWidth(file) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(redrawEvery):
				s.redraw()
			}
		}
	}()
	return s
}

// terminalWidth is asked for each time, because windows are resized.
func terminalWidth(file *os.File) int {
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		return width
	}
	return defaultWidth
}

// Close removes the live line. Lines may still be written.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.tasks = nil
	s.erase()
}

// Line writes a line that stays.
func (s *Screen) Line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(text)
}

func (s *Screen) line(text string) {
	s.erase()
	_, _ = io.WriteString(s.out, text+"\n") // there is nowhere to report a failure
	s.draw()
}

func (s *Screen) redraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	if s.terminal {
		s.draw()
		return
	}
	for _, t := range s.tasks {
		t.heartbeat()
	}
}

// draw writes the live line over the one that is there, in one write, so that it does not flicker.
func (s *Screen) draw() {
	if !s.terminal {
		return
	}
	text := s.liveText()
	if text == "" {
		s.erase()
		return
	}
	_, _ = io.WriteString(s.out, "\r"+text+"\x1b[K")
	s.drawn = true
}

func (s *Screen) erase() {
	if s.drawn {
		_, _ = io.WriteString(s.out, "\r\x1b[K")
		s.drawn = false
	}
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// liveText is what runs now, cut to the width: a line that wraps could not be erased.
func (s *Screen) liveText() string {
	var texts []string
	for _, t := range s.tasks {
		texts = append(texts, t.text())
	}
	if len(texts) == 0 {
		return ""
	}
	frame := spinner[s.turn%len(spinner)]
	text := runewidth.Truncate(strings.Join(texts, " · "), s.width()-3, "…")
	return s.paint(cyan, frame) + " " + text
}

type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	cyan   paint = "36"
)

func (s *Screen) paint(p paint, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}
