// Command poll is the Lambda function that looks at a job once and says what to do next.
package main

import "github.com/scenario-archive/scenario-archive/internal/step"

func main() { step.Start("poll", fromEnvironment) }
