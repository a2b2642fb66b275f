// Command transfer is the Lambda function that streams an archive from its URL into S3, or ends what is left of such
// a transfer.
package main

import "github.com/scenario-archive/scenario-archive/internal/step"

func main() { step.Start("transfer", fromEnvironment) }
