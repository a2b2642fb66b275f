// Command manifest is the Lambda function that writes what became of a batch's archives.
package main

import "github.com/scenario-archive/scenario-archive/internal/step"

func main() { step.Start("manifest", fromEnvironment) }
