// Package executions starts, finds, reads and stops the executions of a state machine. It gives them names: an
// execution's name is what makes a start idempotent, and what a person reads in the console.
package executions
