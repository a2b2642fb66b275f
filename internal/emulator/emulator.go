// Package emulator has what all stand-ins for AWS services agree on.
package emulator

const (
	// Region is the one that everything is in.
	Region = "us-east-1"
	// Account is one that nobody has.
	Account = "000000000000"
)
