package lambda

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// lookup finds a function by its name or ARN.
func (s *Service) lookup(reference string) (*function, error) {
	name := reference[strings.LastIndexByte(reference, ':')+1:]
	if f := s.functions[name]; f != nil && (reference == name || reference == s.ARN(name)) {
		return f, nil
	}
	return nil, &Error{"ResourceNotFoundException", "Function not found: " + reference}
}

// newRequestID returns a random UUID (version 4), as the service gives every invocation.
func newRequestID() string {
	b := randomBytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns a trace header of X-Ray's form that is not sampled.
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", now.Unix(), randomBytes(12), randomBytes(8))
}

// newStream returns the name of a process's log stream.
func newStream(now time.Time) string {
	return fmt.Sprintf("%s/[$LATEST]%x", now.UTC().Format("2006/01/02"), randomBytes(16))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}
