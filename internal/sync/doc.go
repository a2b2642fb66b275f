// Package sync is what the sync state machine's functions do: they find out what changed at Scenario, have it fetched by
// the batch state machine, and write down what is known of every asset.
//
// # What is kept
//
// All of it is in the bucket. syncs/<name>.json says what to follow. <prefix>metadata/<assetId>.json is the record of an
// asset that is in the bucket: it appears after the asset's file, and its S3 metadata says what the file was
// made from. syncs/<name>.status.json says how the sync stands, and holds the cursor and the lease.
// syncs/<name>/failed.json names the assets that are not in the bucket although the cursor has passed them.
//
// # A run
//
// A run goes from the cursor to the list's end in chunks. [Engine.Changes] lists until a chunk is full, compares each asset
// with its record, and leaves two files: the IDs to be fetched, for the batch, and what the API said of them, for the
// records. The batch makes archives and unpacks them below <prefix>incoming/. [Engine.Synced] copies the files to
// <prefix>assets/, writes the records of what is there, sends what is missing through a second batch of small archives, notes what still is missing, and moves the cursor.
// Each step can be repeated: it finds its own files and does the same again.
package sync
