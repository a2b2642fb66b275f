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
		return archive.NewError(archive.Internal, err, "the transfer failed in an unexpected way: %v", err)
	}
	because := func(name archive.Name, advice string) error { return archive.NewError(name, err, "%v. %s", e, advice) }
	switch e.Kind {
	case transfer.KindURLExpired:
		return because(archive.ArchiveURLExpired, "A fresh URL comes with the job's next status")
	case transfer.KindChanged:
		return because(archive.ArchiveChanged, "Start the execution again")
	case transfer.KindCorrupt:
		return because(archive.ArchiveCorrupt, "Nothing was kept; start the execution again, and if it "+
			"happens again ask Scenario about the job")
	case transfer.KindNoArchive:
		return because(archive.ArchiveCorrupt, "Nothing was kept, and trying again soon does not help; ask Scenario about the job")
	case transfer.KindTooLarge:
		return because(archive.ArchiveTooLarge, "Ask for fewer assets")
	case transfer.KindForbidden:
		return because(archive.SourceForbidden, "If the host is right, allow it in ALLOWED_ARCHIVE_HOSTS "+
			"(the deployment's parameter AllowedArchiveHosts)")
	case transfer.KindSourceUnavailable:
		return because(archive.SourceUnavailable, "Start the execution again later")
	case transfer.KindConflict:
		return because(archive.DestinationConflict, "Choose another key, or set destination.overwrite")
	case transfer.KindStorageUnavailable, transfer.KindCanceled:
		return because(archive.DestinationUnavailable, "Start the execution again later")
	case transfer.KindStorageRefused:
		return because(archive.DestinationRefused, "Check the bucket, its policy, its KMS key and the "+
			"function's role")
	case transfer.KindInvalid:
		return because(archive.RequestInvalid, "Correct the request")
	default:
		return because(archive.Internal, "This is a fault of the software")
	}
}
