package main

import (
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

// named turns an error of the unpacking into the named error that says what to do about it.
func named(err error) error {
	var e *unpack.Error
	if err == nil {
		return nil
	}
	if !errors.As(err, &e) {
		return archive.NewError(archive.Internal, err, "the unpacking failed in an unexpected way: %v", err)
	}
	because := func(name archive.Name, advice string) error { return archive.NewError(name, err, "%v. %s", e, advice) }
	switch e.Kind {
	case unpack.KindCorrupt:
		return because(archive.ArchiveCorrupt, "What was unpacked is right, and the archive is kept; ask Scenario about the job")
	case unpack.KindUnsupported:
		return because(archive.ArchiveUnsupported, "The archive is kept; unpack it with a tool that knows it")
	case unpack.KindTooLarge:
		return because(archive.ArchiveTooLarge, "The archive is kept; ask for fewer assets")
	case unpack.KindChanged:
		return because(archive.ArchiveChanged, "Start the execution again")
	case unpack.KindConflict:
		return because(archive.DestinationConflict, "The archive is kept; choose another unpack.prefix, or set destination.overwrite")
	case unpack.KindStorageUnavailable, unpack.KindCanceled:
		return because(archive.DestinationUnavailable, "Start the execution again later")
	case unpack.KindStorageRefused:
		return because(archive.DestinationRefused, "Check the bucket, its policy, its KMS key and the function's role")
	case unpack.KindInvalid:
		return because(archive.RequestInvalid, "Correct the request")
	default:
		return because(archive.Internal, "This is a fault of the software")
	}
}
