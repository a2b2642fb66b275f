package asl

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

func array(args []any) (any, error) { return args, nil }

func arrayPartition(args []any) (any, error) {
	a, err := arrayArg(args, 0)
	if err != nil {
		return nil, err
	}
	size, err := intArg(args, 1)
	if err == nil && size < 1 {
		err = errors.New("the size of a part must be at least 1")
	}
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for part := range slices.Chunk(a, int(min(size, int64(len(a)+1)))) {
		parts = append(parts, slices.Clone(part))
	}
	return parts, nil
}

func arrayContains(args []any) (any, error) {
	a, err := arrayArg(args, 0)
	return contains(a, args[1]), err
}

func contains(a []any, v any) bool {
	return slices.ContainsFunc(a, func(e any) bool { return equal(e, v) })
}

func arrayRange(args []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = intArg(args, i); err != nil {
			return nil, err
		}
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step must not be 0")
	}
	if math.Abs(float64(first)) > 1<<53 || math.Abs(float64(last)) > 1<<53 || math.Abs(float64(step)) > 1<<53 {
		return nil, errors.New("a number is too large")
	}
	if (last-first)/step >= maxRange {
		return nil, fmt.Errorf("more than %d elements", maxRange)
	}
	a := []any{}
	for v := first; step > 0 && v <= last || step < 0 && v >= last; v += step {
		a = append(a, number(v))
	}
	return a, nil
}

func arrayGetItem(args []any) (any, error) {
	a, err := arrayArg(args, 0)
	if err != nil {
		return nil, err
	}
	i, err := intArg(args, 1)
	if err == nil && (i < 0 || i >= int64(len(a))) {
		err = fmt.Errorf("index %d of an array of %d", i, len(a))
	}
	if err != nil {
		return nil, err
	}
	return a[i], nil
}

func arrayLength(args []any) (any, error) {
	a, err := arrayArg(args, 0)
	return number(int64(len(a))), err
}

func arrayUnique(args []any) (any, error) {
	a, err := arrayArg(args, 0)
	unique := []any{}
	seen := map[string]bool{}
	for _, v := range a {
		if key := canonical(v); !seen[key] {
			seen[key] = true
			unique = append(unique, v)
		}
	}
	return unique, err
}
