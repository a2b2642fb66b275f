// Command launch is the Lambda function that asks Scenario for an archive.
package main

import "github.com/scenario-archive/scenario-archive/internal/step"

func main() { step.Start("launch", fromEnvironment) }
