package sfn

import (
	"encoding/json"
	"os"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// List gives executions of a machine, newest first: those of a status (all, when it is empty), limit at most (0: 100),
// from token on. next is empty at the end. Inputs and outputs are left out.
func (s *Service) List(machineARN string, status asl.Status, limit int, from string) (page []Execution, next string, err error) {
	m, err := s.findMachine(machineARN)
	if err != nil {
		return nil, "", err
	}
	return s.list(m, status, limit, from)
}

// ListChildren gives the executions of a Map Run's children; see List.
func (s *Service) ListChildren(mapRunARN string, status asl.Status, limit int, from string) (page []Execution, next string, err error) {
	r, err := s.findRun(mapRunARN)
	if err != nil {
		return nil, "", err
	}
	return s.list(r.children, status, limit, from)
}

func (s *Service) list(m *machine, status asl.Status, limit int, from string) (page []Execution, next string, err error) {
	limit, err = pageSize(limit)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A position counts from the oldest, so that new executions do not move it.
	position := len(m.executions) - 1
	list := m.arn + " " + m.mapRunARN() + " " + string(status)
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
	first := 0
	if from != "" {
		if first, err = readToken(list, from); err != nil {
			return nil, "", err
		}
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
	// A token counts events from the end where the list begins. In reverse, that end moves while an execution runs:
	// the token then holds the ID of the last event it was made with.
	last := len(places)
	if reverse && from != "" {
		last, first = min(first, last), 0
	}
	for i := first; i < last && len(page) < limit; i++ {
		at := i
		if reverse {
			at = last - 1 - i
		}
		event, err := readEvent(f, places[at])
		if err != nil {
			return nil, "", err
		}
		page = append(page, event)
	}
	switch done := first + len(page); {
	case done >= last:
		return page, "", nil
	case reverse:
		return page, token(list, last-len(page)), nil
	default:
		return page, token(list, done), nil
	}
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
