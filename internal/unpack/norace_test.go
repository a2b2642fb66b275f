//go:build !race

package unpack

const defaultSchedules = 60
