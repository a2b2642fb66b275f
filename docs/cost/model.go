package main

import (
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// The numbers of this design, as its packages have them; a test compares.
const (
	assetsPerArchive = 1000 // scenario.MaxAssets

	firstWait = time.Second // functions/launch

	mib           = 1 << 20
	firstRange    = 8 * mib // internal/transfer, layout
	smallestPart  = 8 * mib
	largestPart   = 32 * mib
	chosenParts   = 128
	labelsOfParts = 2

	smallFunction    = 128.0 / 1024 // GB of launch and poll: template.yaml
	transferFunction = 1792.0 / 1024
	batchFunction    = 512.0 / 1024 // of plan and manifest
)

// Prices in US dollars: us-east-1, on demand, without the free tier, list prices of 2025:
// https://aws.amazon.com/step-functions/pricing/, /lambda/pricing/ (arm64, first tier) and /s3/pricing/ (S3 Standard).
const (
	perTransition = 0.025 / 1000
	perInvocation = 0.20 / 1e6
	perGBSecond   = 0.0000133334
	perPut        = 0.005 / 1000 // PUT, COPY, POST, LIST: every call of a multipart upload, too
	perGet        = 0.0004 / 1000
)

// Assumptions that no program can measure here.
const (
	assetBytes    = 2 * mib                // an image
	jobBase       = 10 * time.Second       // of Scenario's job,
	jobPerAsset   = 50 * time.Millisecond  // so that one of 1000 assets takes a minute
	apiRoundTrip  = 250 * time.Millisecond // a request to Scenario from a function of 128 MB, TLS included
	transferRate  = 75e6                   // bytes a second through one transfer function: what 1792 MB of Lambda usually has
	guidePolls    = 3 * time.Second        // the guide polls at this interval, always
	concurrency   = 5                      // archives at once: batch.DefaultMaxConcurrency
	functionStart = 100 * time.Millisecond // of plan and manifest, once a batch
	functionSlice = 14*time.Minute + 30*time.Second
)

// usage is what an archive or a batch takes.
type usage struct {
	Transitions, Invocations, Puts, Gets float64
	GBSeconds                            float64
	Wall                                 time.Duration // from start to end
}

func (u usage) times(n float64) usage {
	return usage{u.Transitions * n, u.Invocations * n, u.Puts * n, u.Gets * n, u.GBSeconds * n, u.Wall}
}

func (u usage) plus(v usage) usage {
	return usage{u.Transitions + v.Transitions, u.Invocations + v.Invocations, u.Puts + v.Puts, u.Gets + v.Gets,
		u.GBSeconds + v.GBSeconds, u.Wall + v.Wall}
}

// dollars is the sum of all of it.
func (u usage) dollars() float64 {
	return u.Transitions*perTransition + u.Invocations*perInvocation + u.GBSeconds*perGBSecond + u.Puts*perPut + u.Gets*perGet
}

func jobTime(assets int) time.Duration { return jobBase + time.Duration(assets)*jobPerAsset }

// polls is how often the poll function looks at a job before it sees the end, and when that is.
func polls(job time.Duration) (n int, seen time.Duration) {
	seen = firstWait
	for n = 1; seen < job; n++ {
		seen += time.Duration(archive.NextWait(seen, 0, job+time.Hour)) * time.Second
	}
	return n, seen
}

// guidesPolls is the same for a fixed interval.
func guidesPolls(job time.Duration) (n int, seen time.Duration) {
	n = int((job + guidePolls - 1) / guidePolls)
	return n, time.Duration(n) * guidePolls
}

// requests are the calls of S3 for an archive of so many bytes.
func requests(size int64) (puts, gets float64) {
	if size <= firstRange {
		return 1, 1 // PutObject; HeadObject: its ZIP directory is checked before it is sent
	}
	part := min(max(size/chosenParts, smallestPart), int64(largestPart))
	part = (part + mib - 1) / mib * mib
	parts := 1 + (size-firstRange+part-1)/part
	return float64(parts) + labelsOfParts + 3, 3 // list, create, complete; head, and the directory read back
}

// archiveOf is one archive. how says how often its job is looked at.
func (m measured) archiveOf(assets int, how func(time.Duration) (int, time.Duration)) usage {
	size := int64(assets) * assetBytes
	looks, seen := how(jobTime(assets))
	moving := time.Duration(float64(size)/transferRate*1e9) + m.Transfer.duration()
	runs := int(moving/functionSlice) + 1
	puts, gets := requests(size)
	launch, poll := apiRoundTrip+m.Launch.duration(), apiRoundTrip+m.Poll.duration()
	small := (launch + time.Duration(looks)*poll).Seconds() * smallFunction
	return usage{
		Transitions: float64(m.Transitions.Archive + m.Transitions.EachPoll*looks + m.Transitions.EachTransfer*runs),
		Invocations: float64(1 + looks + runs), Puts: puts, Gets: gets,
		GBSeconds: small + moving.Seconds()*transferFunction,
		Wall:      seen + moving + launch,
	}
}

// of is any number of assets: one archive, or a batch of them.
func (m measured) of(assets int, how func(time.Duration) (int, time.Duration)) usage {
	if assets <= assetsPerArchive {
		return m.archiveOf(assets, how)
	}
	archives := (assets + assetsPerArchive - 1) / assetsPerArchive
	child := usage{Transitions: float64(m.Transitions.Child)}
	one := m.archiveOf(assetsPerArchive, how).plus(child)
	all := one.times(float64(archives))
	all.Wall = time.Duration((archives+concurrency-1)/concurrency) * one.Wall
	return all.plus(m.batchOf(assets))
}

// batchOf is what comes once for a batch: the plan, the map's own state, and the manifest.
func (m measured) batchOf(assets int) usage {
	millions := float64(assets) / 1e6
	functions := time.Duration(millions*float64(m.PlanMillion.duration()+m.ManifestMillion.duration())) + 2*functionStart
	listParts := float64(assets) * 64 / (8 * mib) // the items and the manifest, about 64 bytes an asset each
	return usage{
		Transitions: float64(m.Transitions.Batch), Invocations: 2, Puts: 12 + 3*listParts, Gets: 10 + listParts,
		GBSeconds: functions.Seconds() * batchFunction, Wall: functions,
	}
}
