package sfn

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// line is one line of an execution's file.
type line struct {
	Execution  *header         `json:"execution,omitempty"` // of the first line
	Event      *asl.Event      `json:"event,omitempty"`
	Checkpoint *asl.Checkpoint `json:"checkpoint,omitempty"` // where to go on after Event

	Redrives int       `json:"redrives,omitempty"` // of the execution so far
	Redriven time.Time `json:"redriven,omitzero"`  // the last time
}

type header struct {
	Name  string    `json:"name"`
	Start time.Time `json:"start"`
	Input string    `json:"input"` // JSON text, as it was given

	StartedBy string `json:"startedBy,omitempty"` // token of the task that started it
	Index     int    `json:"index,omitempty"`     // of a Map Run's child: its place among the children, from 0
}

// lockDir makes the directory of a Service, and its alone. It keeps each execution in a file of its own,
// <dir>/<machine>/<execution>.jsonl: a header line, then a line for each event. Lines are only ever added, each by one
// write; a line that a crash cut short is dropped when the file is read again. Nothing is synced: a killed process loses
// nothing, a machine that loses power may run the last states again, which a state machine's tasks must bear anyway, and a
// sync at each state cost more time than the states.
func lockDir(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("no directory to keep executions in")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := process.TryLock(filepath.Join(dir, "lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s is in use by another process", dir)
	}
	return lock, err
}

var plainName = regexp.MustCompile(`^[0-9A-Za-z_.-]+$`)

// fileName is the name, or, of one that does not suit every file system, its checksum after a character that no name has.
func fileName(name string) string {
	if plainName.MatchString(name) && name[0] != '.' {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "%" + hex.EncodeToString(sum[:])
}

// createFile makes the file of a new execution.
func createFile(path string, h header) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := appendLine(f, line{Execution: &h}); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return f, nil
}

// appendLine adds the line, or nothing: what a full disk took of it is cut off again.
func appendLine(f *os.File, l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	n, err := f.Write(append(b, '\n'))
	if err == nil || n == 0 {
		return err
	}
	end, failed := f.Seek(0, io.SeekEnd)
	if failed == nil {
		failed = f.Truncate(end - int64(n))
	}
	return errors.Join(err, failed)
}

// readHeader and readLast read what a list of executions needs, without the events between.
func readHeader(f *os.File) (header, error) {
	var l line
	text, err := bufio.NewReader(io.NewSectionReader(f, 0, 1<<62)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err == nil && l.Execution == nil {
		err = errors.New("the first line is not an execution's")
	}
	if err != nil {
		return header{}, err
	}
	return *l.Execution, nil
}

// readLast is the last whole line, or one without an event when there is none.
func readLast(f *os.File) (line, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return line{}, err
	}
	var tail []byte
	for from := size; ; {
		n := min(from, 64<<10)
		from -= n
		chunk := make([]byte, n)
		if _, err := f.ReadAt(chunk, from); err != nil {
			return line{}, err
		}
		tail = append(chunk, tail...)
		end := bytes.LastIndexByte(tail, '\n')
		start := bytes.LastIndexByte(tail[:max(end, 0)], '\n') + 1
		if end >= 0 && (start > 0 || from == 0) {
			var l line
			return l, json.Unmarshal(tail[start:end], &l)
		}
		if from == 0 {
			return line{}, errors.New("there is no whole line")
		}
	}
}

// readLines calls each with every whole line, and says where they end.
func readLines(f *os.File, each func(text []byte) error) (end int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), 64<<10)
	for {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err == nil {
			err = each(text)
		}
		if err != nil {
			return end, err
		}
		end += int64(len(text))
	}
}
