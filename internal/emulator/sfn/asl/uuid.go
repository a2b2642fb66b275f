package asl

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// NewUUID returns a random (version 4) UUID, as Step Functions names executions and requests.
func NewUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return formatUUID(b[:])
}

// UUIDOf returns a UUID that is the same for the same text, for names that a repeated request must find again.
func UUIDOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8: made by a rule of our own
	return formatUUID(sum[:16])
}

func formatUUID(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
