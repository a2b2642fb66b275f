package asl

import (
	"cmp"
	"errors"
	"math"
	"time"
)

// retrier is an element of Retry. What it does not say is as states-language.net has it, "Retrying after error".
type retrier struct {
	Comment         string
	ErrorEquals     []string
	IntervalSeconds seconds  // default 1
	MaxAttempts     *int     // default 3
	BackoffRate     *float64 // default 2
	MaxDelaySeconds seconds
	JitterStrategy  string // FULL; NONE is the default
}

// check checks the retrier, and puts in the defaults.
func (r *retrier) check(last bool) error {
	if r.MaxAttempts == nil {
		r.MaxAttempts = new(3)
	}
	if r.BackoffRate == nil {
		r.BackoffRate = new(2.0)
	}
	r.IntervalSeconds = cmp.Or(r.IntervalSeconds, seconds(time.Second))
	err := checkErrorNames(r.ErrorEquals, last)
	if *r.MaxAttempts < 0 {
		err = errors.Join(err, wrong("MaxAttempts", "must not be negative"))
	}
	if *r.BackoffRate < 1 {
		err = errors.Join(err, wrong("BackoffRate", "must be a number of at least 1.0"))
	}
	if s := r.JitterStrategy; s != "" && s != "FULL" && s != "NONE" {
		err = errors.Join(err, wrong("JitterStrategy", "must be FULL or NONE"))
	}
	return err
}

// delay is how long to wait before the retry of that number, counted from 0, when random is a number in [0,1).
func (r *retrier) delay(attempt int, random func() float64) time.Duration {
	longest := cmp.Or(r.MaxDelaySeconds, seconds(maxSeconds*time.Second))
	d := min(float64(r.IntervalSeconds)*math.Pow(*r.BackoffRate, float64(attempt)), float64(longest))
	if r.JitterStrategy == "FULL" {
		d *= random()
	}
	return time.Duration(d)
}
