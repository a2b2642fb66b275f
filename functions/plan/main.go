// Command plan is the Lambda function that reads a batch's list and decides which archive gets which assets.
package main

import "github.com/scenario-archive/scenario-archive/internal/step"

func main() { step.Start("plan", fromEnvironment) }
