// Command unpack is the Lambda function that makes the files of an archive in S3 into objects, or ends what is left of
// such an unpacking.
package main

import (
	"runtime/debug"

	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

func main() {
	debug.SetGCPercent(transfer.GCPercent)
	step.Start("unpack", fromEnvironment)
}
