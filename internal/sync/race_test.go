//go:build race

package sync

const (
	raceDetector = true
	// defaultSchedules is smaller under the race detector, which makes each ten times as long.
	defaultSchedules = 12
)
