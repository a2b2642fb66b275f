package main

import (
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

// named turns an error of the transfer into the named error that says what to do about it.
func named(err error) error {
	var e *transfer.Error
	if err == nil {
		return nil
	}
	if !errors.As(err, &e) {
		return archive.Internal{Failure: archive.Because(err, "the transfer failed in an unexpected way: %v", err)}
	}
	because := func(advice string) archive.Failure { return archive.Because(err, "%v. %s", e, advice) }
	switch e.Kind {
	case transfer.KindURLExpired:
		return archive.ArchiveURLExpired{Failure: because("A fresh URL comes with the job's next status")}
	case transfer.KindChanged:
		return archive.ArchiveChanged{Failure: because("Start the execution again")}
	case transfer.KindCorrupt:
		return archive.ArchiveCorrupt{Failure: because("Nothing was kept; start the execution again, and if it " +
			"happens again ask Scenario about the job")}
	case transfer.KindTooLarge:
		return archive.ArchiveTooLarge{Failure: because("Ask for fewer assets")}
	case transfer.KindForbidden:
		return archive.SourceForbidden{Failure: because("If the host is right, allow it in ALLOWED_ARCHIVE_HOSTS " +
			"(the deployment's parameter AllowedArchiveHosts)")}
	case transfer.KindSourceUnavailable:
		return archive.SourceUnavailable{Failure: because("Start the execution again later")}
	case transfer.KindConflict:
		return archive.DestinationConflict{Failure: because("Choose another key, or set destination.overwrite")}
	case transfer.KindStorageUnavailable, transfer.KindCanceled:
		return archive.DestinationUnavailable{Failure: because("Start the execution again later")}
	case transfer.KindStorageRefused:
		return archive.DestinationRefused{Failure: because("Check the bucket, its policy, its KMS key and the " +
			"function's role")}
	case transfer.KindInvalid:
		return archive.RequestInvalid{Failure: because("Correct the request")}
	default:
		return archive.Internal{Failure: because("This is a fault of the software")}
	}
}
