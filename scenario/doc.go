// Package scenario is a client for the part of the Scenario API that makes archives (ZIP files) of assets: it launches
// an archive job, follows it and gives the archive's URL; it estimates what an archive costs, and lists assets. It needs
// nothing but the standard library.
//
// Two public descriptions of the job exist, the guide "Downloading an Archive of Assets" and the API reference. They
// differ in the launch's path and in the shape of the answers; the client speaks both (see [Endpoint]).
//
// # Retries
//
// What is safe to repeat is repeated, up to [Options].MaxAttempts times, with exponential backoff, full jitter and
// respect for Retry-After. A launch makes a job each time it arrives, and the API takes no idempotency key; so a launch
// is repeated only when no job can have been made, and an answer that was lost is a [KindUncertain] error for the
// caller to decide about. Waits never outlast the context's deadline or [Options].MaxRetryWait: where they would, the
// error is returned at once and its RetryAfter says what the API asked for.
//
// # Secrets
//
// Neither the key, the secret, the Authorization header nor the query of a signed URL appears in an error or in a log.
// [Job].ArchiveURL is a credential: anybody who has it can read the archive until it expires.
package scenario
