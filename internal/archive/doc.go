// Package archive holds what the functions agree on: the request for an archive and its limits, the key it gets in
// S3, what the steps of an execution hand to each other, the output, and the named errors.
package archive
