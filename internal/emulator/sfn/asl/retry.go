package asl

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// What a retrier does when it does not say (states-language.net, "Retrying after error").
const (
	defaultInterval    = time.Second
	defaultMaxAttempts = 3
	defaultBackoff     = 2.0
	maxMaxDelaySeconds = 31_622_400 // AWS: a year
)

// each compiles the objects of an array field.
func each(f *fields, name string, one func(f *fields, last bool)) {
	all, _ := f.array(name)
	for i, v := range all {
		if item, ok := f.c.object(fmt.Sprintf("%s: %s[%d]", f.where, name, i), v); ok {
			item.text("Comment")
			one(item, i == len(all)-1)
			item.done()
		}
	}
}

func retriers(f *fields) []retrier {
	var all []retrier
	each(f, "Retry", func(f *fields, last bool) {
		r := retrier{
			errors: errorNames(f, last), interval: defaultInterval, maxAttempts: defaultMaxAttempts,
			backoff: defaultBackoff,
		}
		if n, ok := f.integer("IntervalSeconds", 1, maxSeconds); ok {
			r.interval = time.Duration(n) * time.Second
		}
		if n, ok := f.integer("MaxAttempts", 0, maxSeconds); ok {
			r.maxAttempts = int(n)
		}
		if n, ok := f.integer("MaxDelaySeconds", 1, maxMaxDelaySeconds); ok {
			r.maxDelay = time.Duration(n) * time.Second
		}
		if v, ok := f.take("BackoffRate"); ok {
			r.backoff = backoffRate(f, v)
		}
		if s, ok := f.string("JitterStrategy"); ok {
			if s != "FULL" && s != "NONE" {
				f.wrong("JitterStrategy", "must be FULL or NONE")
			}
			r.jitter = s == "FULL"
		}
		all = append(all, r)
	})
	return all
}

func backoffRate(f *fields, v any) float64 {
	n, ok := v.(json.Number)
	rate, err := n.Float64()
	if !ok || err != nil || rate < 1 {
		f.wrong("BackoffRate", "must be a number of at least 1.0")
	}
	return rate
}

func catchers(f *fields) []catcher {
	var all []catcher
	each(f, "Catch", func(f *fields, last bool) {
		all = append(all, catcher{errors: errorNames(f, last), next: f.required("Next"), result: f.resultPath()})
	})
	return all
}

// delay is how long to wait before the retry of that number, counted from 0, when random is a number in [0,1).
func (r *retrier) delay(attempt int, random func() float64) time.Duration {
	d := float64(r.interval) * math.Pow(r.backoff, float64(attempt))
	if longest := float64(maxSeconds * time.Second); d > longest {
		d = longest
	}
	if r.maxDelay > 0 && d > float64(r.maxDelay) {
		d = float64(r.maxDelay)
	}
	if r.jitter {
		d *= random()
	}
	return time.Duration(d)
}
