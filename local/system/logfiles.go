package system

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// logFiles keeps a file for each function under one directory.
type logFiles struct {
	dir string

	mu    sync.Mutex
	files map[string]*os.File
}

// keepLog is how large a log may be at the start of a system before it is put aside, in bytes.
const keepLog = 10 << 20

func newLogFiles(dir string) (*logFiles, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &logFiles{dir: dir, files: map[string]*os.File{}}, nil
}

// open returns a log's file, opened for appending. The log of earlier systems is kept once, as <name>.log.1.
func (l *logFiles) open(name string) (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file := l.files[name]; file != nil {
		return file, nil
	}
	path := filepath.Join(l.dir, name+".log")
	if info, err := os.Stat(path); err == nil && info.Size() > keepLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		l.files[name] = file
	}
	return file, err
}

// write adds a line. A full disk must not end the transfer that fills it with an error about a log.
func (l *logFiles) write(name, text string) {
	if file, err := l.open(name); err == nil {
		_, _ = fmt.Fprintf(file, "%s %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), text)
	}
}

func (l *logFiles) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.files {
		_ = file.Close()
	}
	clear(l.files)
}

// logger writes the lines of the local system's own parts into a log.
func (l *logFiles) logger(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(writerFunc(func(text string) { l.write(name, text) }), nil))
}

// problems is the log of one of the system's own parts: all of it in a file, what went wrong also on the screen, because a
// disk that is full has no place for the file.
func (s *System) problems(name string) *slog.Logger {
	screen := slog.NewTextHandler(writerFunc(func(text string) {
		s.options.Screen.Line("%s: %s", name, text)
	}), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	return slog.New(slog.NewMultiHandler(s.logs.logger(name).Handler(), screen))
}

// writerFunc takes what is written to it as text, without the white space around it.
type writerFunc func(string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(strings.TrimSpace(string(p)))
	return len(p), nil
}
