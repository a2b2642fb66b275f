package archive

import (
	"testing"
	"time"
)

func TestNextWait(t *testing.T) {
	t.Parallel()
	const far = 24 * time.Hour
	for _, c := range []struct {
		name                         string
		waited, asked, untilDeadline time.Duration
		want                         int
	}{
		{"at once", 0, 0, far, 1},
		{"clock of another machine is ahead", -time.Minute, 0, far, 1},
		{"short", 6 * time.Second, 0, far, 1},
		{"in proportion, rounded up", 7 * time.Second, 0, far, 2},
		{"in proportion", time.Minute, 0, far, 10},
		{"just under the cap", 354 * time.Second, 0, far, 59},
		{"cap", time.Hour, 0, far, 60},
		{"after two hours", 2 * time.Hour, 0, far, 120},
		{"after a day", 24 * time.Hour, 0, 2 * far, 300},
		{"as the API asks", time.Second, 45 * time.Second, far, 45},
		{"the API asks for less", time.Minute, time.Second, far, 10},
		{"the API asks for more than the cap", time.Hour, 10 * time.Minute, far, 600},
		{"not beyond the deadline", time.Hour, 0, 20 * time.Second, 20},
		{"not beyond the deadline, whatever is asked", time.Hour, time.Hour, 20 * time.Second, 20},
		{"deadline in part of a second", time.Hour, 0, 1500 * time.Millisecond, 2},
		{"deadline passed", time.Hour, 0, -time.Second, 1},
	} {
		if got := NextWait(c.waited, c.asked, c.untilDeadline); got != c.want {
			t.Errorf("%s: got %d s, want %d", c.name, got, c.want)
		}
	}
}

// docs/cost.md says what an archive's polling costs.
func TestPollsOfAJob(t *testing.T) {
	t.Parallel()
	for job, most := range map[time.Duration]int{
		3 * time.Second: 3, time.Minute: 22, 10 * time.Minute: 36, time.Hour: 86, 24 * time.Hour: 420,
	} {
		polls, waited := 0, time.Second
		for ; waited < job; polls++ {
			waited += time.Duration(NextWait(waited, 0, 48*time.Hour)) * time.Second
		}
		if polls > most {
			t.Errorf("%s: %d polls, want at most %d", job, polls, most)
		}
		if late := waited - job; late > job/share+time.Second {
			t.Errorf("%s: the end is seen %s late", job, late)
		}
	}
}
