// Command manifest is the Lambda function that writes the results of a batch's archives.
package main

import (
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/step"
)

func main() { step.Start("manifest", fromEnvironment) }

func fromEnvironment(getenv func(string) string) (step.Logic[batch.ManifestInput, batch.ManifestOutput], error) {
	storage, err := bucket.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	return handler{batch.Manifester{Storage: batch.Storage{Bucket: storage}}}.write, nil
}
