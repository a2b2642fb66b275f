package main

import (
	"context"
	"fmt"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/local/system"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// estimate asks what the archive would cost, and makes none. What Scenario answers goes to standard output.
func (r *run) estimate(ctx context.Context, s *system.System, stdout io.Writer) int {
	request, err := archive.ParseRequest(r.request)
	if err != nil {
		r.screen.Failure(string(archive.NameOf(err)), err.Error(), "")
		return statusUsage
	}
	client, err := scenario.New(scenario.Options{
		BaseURL: s.Scenario.BaseURL, Credentials: scenario.StaticCredentials(s.Scenario.Key, s.Scenario.Secret),
	})
	if err != nil {
		return r.problem(ctx, err)
	}
	estimate, err := client.EstimateArchive(ctx, scenario.ArchiveRequest{
		Query: request.Query, Options: request.Options, ProjectID: request.ProjectID,
	})
	if err != nil {
		err = archive.FromScenario(err)
		r.screen.Failure(string(archive.NameOf(err)), err.Error(), "")
		return statusFailed
	}
	if cost := estimate.CreativeUnitsCost; cost != nil {
		r.screen.Line("The archive would cost %s creative units. None was made.", fmt.Sprint(*cost))
	} else {
		r.screen.Line("Scenario names no creative units; its answer is below. No archive was made.")
	}
	return printJSON(r.screen, stdout, estimate.Raw)
}
