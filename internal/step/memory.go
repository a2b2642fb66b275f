package step

import "runtime/debug"

// LimitMemory has the collector work harder where it would let the process grow beyond 44 MiB of the heap: what is read from S3
// or from a list is little at any time, and garbage soon.
func LimitMemory() { debug.SetMemoryLimit(44 << 20) }
