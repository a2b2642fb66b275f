package main

import (
	"errors"
	"slices"
	"strings"

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
	name, advice := nameAndAdvice(e)
	if e.Advice != "" {
		advice = e.Advice
	}
	return archive.NewError(name, err, "%s. %s", strings.TrimRight(e.Error(), ". "), advice)
}

// nameAndAdvice says what each kind of failure is called, and what to do about it where the error itself does not say.
func nameAndAdvice(e *transfer.Error) (archive.Name, string) {
	switch e.Kind {
	case transfer.KindURLExpired:
		return archive.ArchiveURLExpired, "A fresh URL comes with the job's next status"
	case transfer.KindChanged:
		return archive.ArchiveChanged, "Start the execution again"
	case transfer.KindCorrupt, transfer.KindNoArchive:
		return archive.ArchiveCorrupt, "Nothing was kept; start the execution again, and if it happens again ask Scenario about the job"
	case transfer.KindIncomplete:
		return archive.ArchiveIncomplete, "Check that all assets exist and that the key may see them, or ask without \"strict\""
	case transfer.KindTooLarge:
		return archive.ArchiveTooLarge, "Ask for fewer assets"
	case transfer.KindForbidden:
		hosts := strings.Join(append(slices.Clone(e.Allowed), e.Host), ",")
		return archive.SourceForbidden, "If Scenario serves archives there, allow it: deploy again with the parameter AllowedArchiveHosts=" + hosts +
			" (on one machine: the variable ALLOWED_ARCHIVE_HOSTS)"
	case transfer.KindSourceUnavailable:
		return archive.SourceUnavailable, "Start the execution again later"
	case transfer.KindConflict:
		return archive.DestinationConflict, "Choose another key, or set destination.overwrite"
	case transfer.KindStorageUnavailable, transfer.KindCanceled:
		return archive.DestinationUnavailable, "Start the execution again later"
	case transfer.KindStorageRefused:
		return archive.DestinationRefused, "Check the bucket, its policy, its KMS key and the function's role"
	case transfer.KindInvalid:
		return archive.RequestInvalid, "Correct the request"
	default:
		return archive.Internal, "This is a fault of the software"
	}
}
