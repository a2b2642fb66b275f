package transfer

// Limits of S3, from "Amazon S3 multipart upload limits"
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html) unless another source is named.
const (
	kib = int64(1) << 10
	mib = int64(1) << 20
	gib = int64(1) << 30

	minPartSize = 5 * mib // of every part but the last
	maxPartSize = 5 * gib
	maxParts    = 10_000 // part numbers 1 to 10,000
	// maxObjectSize is 50 TB: "Amazon S3 increases the maximum object size to 50 TB" (December 2025); taken as decimal,
	// the smaller reading of the two.
	maxObjectSize = int64(50_000_000_000_000)

	// sourceLabelPart and ownerLabelPart are numbers that hold no data: see uploads.go.
	sourceLabelPart = maxParts - 1
	ownerLabelPart  = maxParts
	maxDataParts    = maxParts - 2
)

// Choices of this package, with their reasons.
const (
	// firstRange is what the first request asks for, before the size is known: it is the first part of every larger
	// archive and the whole of a small one, which is held in memory.
	firstRange = 8 * mib
	// Between these, parts are small enough for many to fly at once (a CDN limits each connection, not their sum) and
	// for a failed one to cost little, and large enough for two round trips each not to matter.
	smallestChosenPart = 8 * mib
	largestChosenPart  = 32 * mib
	chosenParts        = 128

	// inOrderPart is the size of a part of an archive that says no length: 9,998 of them are 156 GiB.
	inOrderPart = 16 * mib
	// inOrderBuffers hold parts of a source without ranges, so that one is read while others are sent.
	inOrderBuffers = 3

	defaultConcurrency = 64
	maxConcurrency     = 256 // two sockets each: half of Lambda's 1,024 file descriptors (Lambda quotas)
	firstConcurrency   = 16
	defaultMaxMemory   = 128 * mib
	// GCPercent is what a process that runs transfers should give debug.SetGCPercent. Live memory is little and garbage
	// rare, so that collecting early costs next to nothing (a few times in 20 GiB), and the heap stays at what is in use;
	// Go's default lets it double.
	GCPercent = 25

	// streamMemory is what one range in flight costs when it streams: socket and TLS buffers on both sides, rounded up.
	streamMemory = 384 * kib
)
