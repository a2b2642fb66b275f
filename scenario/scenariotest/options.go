package scenariotest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// What zero values of Options mean.
const (
	DefaultKey    = "local-key"
	DefaultSecret = "local-secret"

	defaultJobDuration     = 100 * time.Millisecond
	defaultURLLifetime     = time.Hour
	defaultAssetsPerSource = 4
)

// Options configure a stand-in. Zero values mean their defaults.
type Options struct {
	// Key and Secret are the credentials that it accepts. Defaults: DefaultKey, DefaultSecret.
	Key, Secret string
	// JobDuration is how long a job takes. Default: 100 ms; negative: jobs are done when launched.
	JobDuration time.Duration
	// URLLifetime is how long a signed URL can be used, in whole seconds. Default: 1 h.
	URLLifetime time.Duration
	// AssetSize is the size of each image file in bytes; an image that needs more than AssetSize-12 is larger.
	// Default: as large as the picture needs, about 1 KB.
	AssetSize int64
	// AssetsPerSource is how many assets each inference and each model stands for. Default: 4.
	AssetsPerSource int
	// Catalogue is how many assets lists show from the beginning (see PutAssets), half of them in the collection
	// collection_heroes, the others in collection_villains. Default: none.
	Catalogue int
	// MaxConcurrentJobs is how many jobs may run at once; a launch beyond it is a 429. Default: no limit.
	MaxConcurrentJobs int
	// Routes are the endpoints that there are. Default: RoutesAll.
	Routes Routes
	// State is a directory for the jobs, the assets that were put and the key that signs URLs: another stand-in with the
	// same one goes on with them, however the first one ended. Default: none, all is in memory.
	State string
	// Faults are there from the beginning (see AddFault).
	Faults []Fault
	// Now is the clock of jobs and URLs. Default: time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.Key = cmp.Or(o.Key, DefaultKey)
	o.Secret = cmp.Or(o.Secret, DefaultSecret)
	o.JobDuration = max(cmp.Or(o.JobDuration, defaultJobDuration), 0)
	o.URLLifetime = cmp.Or(o.URLLifetime, defaultURLLifetime)
	o.AssetsPerSource = cmp.Or(o.AssetsPerSource, defaultAssetsPerSource)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Validate says what is wrong with the options; NewServer and NewHandler panic with that.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.AssetSize < 0 || o.AssetsPerSource < 0 || o.Catalogue < 0 || o.MaxConcurrentJobs < 0:
		return errors.New("a size or limit is negative")
	case o.URLLifetime < time.Second:
		return errors.New("URLs must live for a second at least")
	case o.Routes != RoutesAll && o.Routes != RoutesGuide && o.Routes != RoutesReference:
		return fmt.Errorf("routes are %q, not guide or reference", string(o.Routes))
	}
	if o.State != "" {
		if err := os.MkdirAll(o.State, 0o700); err != nil {
			return err
		}
	}
	for _, f := range o.Faults {
		if err := f.validate(); err != nil {
			return err
		}
	}
	return nil
}

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
