// Package scenariotest is a stand-in for the part of the Scenario API that package scenario calls, as net/http/httptest
// is to net/http: for tests, local runs and benchmarks. Its archives are real ZIP files of real PNG images, made from
// their assets' IDs, so that equal requests give equal bytes. They are computed as they are read: one of many GB takes
// no disk and little memory.
//
// The command in cmd/scenariotest serves it on an address of its own.
//
// # What it takes
//
//	POST /v1/assets/archive         launch, as the guide describes it
//	POST /v1/assets/download        launch, as the API reference describes it (fileNameTemplate is required)
//	GET  /v1/jobs/{id}              status; {"job":{…}}
//	GET  /v1/jobs                   the jobs, in pages; metadata.input is what was asked for
//	GET  /v1/assets/download/{id}   status; {"jobId","jobStatus","downloadUrl"}
//	POST /v1/jobs/{id}/action       {"action":"cancel"}: refused, as for most jobs
//	GET  /v1/assets                 the assets of the catalogue, in pages
//	POST /v1/assets/get-bulk        assets by their IDs, at most 200
//	GET  /v1/assets/{id}            one asset
//	GET  /archives/{id}/{name}      an archive, by a signed URL that expires
//
// A job goes through queued, warming-up, in-progress and finalizing to success in Options.JobDuration. A job belongs to
// the project (query parameter projectId) that it was launched in, and is not found in another one.
//
// [Options.Routes] leaves the endpoints of one of the two public descriptions, and answers the rest as API Gateway does.
//
// A launch by the reference's endpoint with dryRun=true answers 269 with a cost, and launches nothing.
//
// # Assets
//
// Every ID of the shape asset_… exists, except those that begin with asset_missing. Every inference and model ID (any
// shape) stands for a fixed number of assets. An asset whose ID begins so makes the whole job misbehave:
//
//	asset_missing   the launch is refused: 404
//	asset_fail      the job ends as "failure", half way
//	asset_cancel    the job ends as "canceled", half way
//	asset_slow      the job takes ten times as long
//	asset_stuck     the job never ends
//	asset_nourl     the job succeeds but never shows an archive URL
//	asset_expired   each archive URL has expired when it is given out
//	asset_corrupt   the archive ends in the middle: no ZIP directory
//
// # Misbehaviour
//
// A [Fault] makes calls fail, wait, or lose their answers, and archives break, change, stall or end: see
// [Server.AddFault]. From outside, on loopback only and without credentials:
//
//	POST   /_test/faults     a Fault as JSON, or an array of them
//	POST   /_test/assets     an array of CatalogueAsset: what lists show from then on
//	DELETE /_test/faults     back to good behaviour
//	GET    /_test/requests   how many requests of each operation of the API there were
//	GET    /_test/jobs       the jobs
//
// For example, the guide's endpoint does not exist, and the next archive request is cut after a megabyte:
//
//	curl -d '[{"operation":"launch-archive","status":404},
//	          {"operation":"archive","times":1,"cutAt":1048576}]' 127.0.0.1:9090/_test/faults
package scenariotest
