package main

import (
	"errors"
	"os"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/s3err"
)

// partsAttribute is where versitygw keeps the sizes of an object's parts.
const partsAttribute = "mp-metadata"

// attributes are versitygw's own, but for the sizes of many parts: on ext4 all attributes of a file share one block of 4 KiB,
// and an object of about 400 parts could not be completed. They are left out where they do not fit. Only requests for a part
// by its number need them; the upload's ID, by which a repeated completion is known, stays.
type attributes struct{ meta.MetadataStorer }

func (a attributes) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	err := a.MetadataStorer.StoreAttribute(f, bucket, object, attribute, value)
	if attribute != partsAttribute || !errors.Is(err, s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)) {
		return err
	}
	m, readErr := backend.UnmarshalMpUploadMetadata(value, false)
	if readErr != nil {
		return err
	}
	m.Parts = nil
	if value, readErr = backend.MarshalMpUploadMetadata(m, false); readErr != nil {
		return err
	}
	return a.MetadataStorer.StoreAttribute(f, bucket, object, attribute, value)
}
