package step

import (
	"fmt"
	"strconv"
	"time"
)

// ProgressInterval is how often a function that is at work for long says how far it is: PROGRESS_INTERVAL, or 10 s, which
// keeps a quarter of an hour at 90 lines.
func ProgressInterval(getenv func(string) string) (time.Duration, error) {
	v := getenv("PROGRESS_INTERVAL")
	if v == "" {
		return 10 * time.Second, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("PROGRESS_INTERVAL is %q; it must be a duration such as 10s", v)
	}
	return d, nil
}

// Count is the variable of that name, a whole number from 1; 0 when it is not set.
func Count(getenv func(string) string, name string) (int, error) {
	v := getenv(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %q; it must be a whole number from 1", name, v)
	}
	return n, nil
}
