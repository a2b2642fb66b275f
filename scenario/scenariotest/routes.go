package scenariotest

import (
	"fmt"
	"net/http"
)

// Routes are which of the two public descriptions of the API a stand-in follows.
type Routes string

// The routes that there can be. For every other one the stand-in answers as API Gateway does before the real API: 403, an
// X-Amzn-ErrorType, and a message about a token.
const (
	// RoutesAll has the endpoints of both descriptions. A path of neither is a 404.
	RoutesAll Routes = ""
	// RoutesGuide has those of the guide: POST /assets/archive and GET /jobs/{id}.
	RoutesGuide Routes = "guide"
	// RoutesReference has those of the API reference, whose jobs show no URL of their archive.
	RoutesReference Routes = "reference"
)

func (s Routes) validate() error {
	if s != RoutesAll && s != RoutesGuide && s != RoutesReference {
		return fmt.Errorf("routes are %q, not guide or reference", string(s))
	}
	return nil
}

func (s Routes) have(op Operation) bool {
	switch s {
	case RoutesGuide:
		return op == OpLaunchArchive || op == OpJob
	case RoutesReference:
		return op != OpLaunchArchive
	}
	return true
}

// noRoute is API Gateway's answer for a route that does not exist.
func noRoute() *reply {
	return &reply{status: http.StatusForbidden, errorType: "MissingAuthenticationTokenException",
		body: map[string]any{"message": "Missing Authentication Token"}}
}
