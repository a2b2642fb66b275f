//go:build race

package unpack

// defaultSchedules is smaller under the race detector, which makes each ten times as long.
const defaultSchedules = 6
