// Package telemetry is what the functions say about their work: logs, metrics as lines of the log, and X-Ray subsegments.
package telemetry
