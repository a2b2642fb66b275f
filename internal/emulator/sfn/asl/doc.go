// Package asl parses and executes state machines written in the Amazon States Language (states-language.net) with
// JSONPath as the query language.
//
// The parser refuses what the executor does not know: an unknown field, an unsupported resource or JSONata is an error
// that names the state and the field, never a guess. The executor follows the documentation of AWS Step Functions
// where that goes further than the specification (error names, limits, history events), and says so where it differs.
//
// An execution goes through three seams that a caller provides: a [TaskRunner] for each resource ARN, a [Clock] and a
// [Recorder], which is told every history event and every state boundary. What a Recorder has kept is enough to go on
// after the process was killed: see [Resume].
package asl
