package scenario_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func Example() {
	server := scenariotest.NewServer(scenariotest.Options{JobDuration: 20 * time.Millisecond})
	defer server.Close()

	client, err := scenario.New(scenario.Options{
		BaseURL:     server.BaseURL(), // leave it out for the public API
		Credentials: scenario.StaticCredentials(scenariotest.DefaultKey, scenariotest.DefaultSecret),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	job, err := client.LaunchArchive(ctx, scenario.ArchiveRequest{
		Query:   scenario.Query{AssetIDs: []string{"asset_knight", "asset_dragon"}},
		Options: scenario.ArchiveOptions{FileNameTemplate: "<assetId>"},
	})
	for err == nil && !job.Status.Final() {
		time.Sleep(10 * time.Millisecond) // the guide waits for 3 s
		job, err = client.Job(ctx, job.Ref())
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Status, job.Progress, job.ArchiveURL != "")
	// Output: success 1 true
}
