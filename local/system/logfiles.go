package system

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
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

// write adds a function's line. A full disk must not end the transfer that fills it with an error about a log.
func (l *logFiles) write(line lambda.Line) {
	if file, err := l.open(line.Function); err == nil {
		_, _ = fmt.Fprintf(file, "%s %s\n", line.Time.UTC().Format("2006-01-02T15:04:05.000Z"), line.Text)
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

// stamp is for lines that no function wrote.
func stamp(name, text string) lambda.Line {
	return lambda.Line{Time: time.Now(), Function: name, Text: text}
}

// logger writes the lines of the local system's own parts into a log.
func (l *logFiles) logger(name string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(writerFunc(func(text string) {
		l.write(stamp(name, strings.TrimSpace(text)))
	}), nil))
}
