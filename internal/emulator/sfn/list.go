package sfn

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// List gives executions of a machine, or of a Map Run's children, newest first: those of a status (all, when it is empty),
// limit at most (0: 100), from token on. next is empty at the end. Inputs and outputs are left out.
func (s *Service) List(arn string, status asl.Status, limit int, from string) (page []Execution, next string, err error) {
	var m *machine
	if strings.Contains(arn, ":mapRun:") {
		var r *mapRun
		if r, err = s.findRun(arn); err == nil {
			m = r.children
		}
	} else {
		m, err = s.findMachine(arn)
	}
	if err != nil {
		return nil, "", err
	}
	limit, err = pageSize(limit)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A position counts from the oldest, so that new executions do not move it.
	position := len(m.executions) - 1
	list := arn + " " + string(status)
	if from != "" {
		n, err := readToken(list, from)
		if err != nil {
			return nil, "", err
		}
		position = min(n, position)
	}
	for ; position >= 0; position-- {
		e := m.executions[position]
		if status != "" && e.status != status {
			continue
		}
		if len(page) == limit {
			return page, token(list, position), nil
		}
		page = append(page, e.summary())
	}
	return page, "", nil
}

// History gives an execution's events, oldest first or in reverse, limit at most (0: 100), from token on. next is empty
// at the end.
func (s *Service) History(executionARN string, reverse bool, limit int, from string) (page []asl.Event, next string, err error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return nil, "", err
	}
	limit, err = pageSize(limit)
	if err != nil {
		return nil, "", err
	}
	list := e.arn
	if reverse {
		list = "reverse " + list
	}
	f, err := os.Open(e.path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	places, err := eventPlaces(f)
	if err != nil {
		return nil, "", err
	}
	at, step := 0, 1
	if reverse {
		at, step = len(places)-1, -1
	}
	if from != "" {
		if at, err = readToken(list, from); err != nil {
			return nil, "", err
		}
	}
	for ; at >= 0 && at < len(places); at += step {
		if len(page) == limit {
			return page, token(list, at), nil
		}
		event, err := readEvent(f, places[at])
		if err != nil {
			return nil, "", err
		}
		page = append(page, event)
	}
	return page, "", nil
}

// place is where a line is in a file.
type place struct{ from, length int64 }

// eventPlaces finds the lines of events without holding any of them: a history may be far larger than memory should.
func eventPlaces(f *os.File) ([]place, error) {
	var places []place
	var from int64
	_, err := readLines(f, func(text []byte) error {
		places = append(places, place{from, int64(len(text))})
		from += int64(len(text))
		return nil
	})
	if len(places) > 0 {
		places = places[1:] // the header
	}
	return places, err
}

func readEvent(f *os.File, p place) (asl.Event, error) {
	text := make([]byte, p.length)
	if _, err := f.ReadAt(text, p.from); err != nil {
		return asl.Event{}, err
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil || l.Event == nil {
		return asl.Event{}, err
	}
	return *l.Event, nil
}
