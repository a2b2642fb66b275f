// Command transfer is the Lambda function that streams an archive from its URL into S3, or ends what is left of such
// a transfer.
package main

import (
	"runtime/debug"

	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

func main() {
	debug.SetGCPercent(transfer.GCPercent)
	step.Start("transfer", fromEnvironment)
}
