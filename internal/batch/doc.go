// Package batch is what the batch state machine's functions do: they plan which archive gets which assets of a list of
// any length, and write the manifest with the result of each.
//
// A batch keeps its own files under WorkPrefix in the bucket: the list as it was understood, the items that Step
// Functions' Distributed Map reads, what the map writes, and the record of the plan. They serve the execution and can
// be deleted when it can no longer be redriven (14 days).
package batch
