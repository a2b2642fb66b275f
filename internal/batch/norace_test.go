//go:build !race

package batch

const fewer = 1
