package system

import (
	"context"
	"errors"
	"net/http"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// storage is a client of the local S3 server.
type storage struct {
	api   *awss3.Client
	close func()
}

func (s *System) storage() (storage, error) { return s.storageWithin(10 * time.Second) }

// storageWithin is a client whose requests may take that long, their bodies included; 0: for ever.
func (s *System) storageWithin(limit time.Duration) (storage, error) {
	trust, err := s.S3.TLS()
	if err != nil {
		return storage{}, err
	}
	transport := &http.Transport{TLSClientConfig: trust}
	return storage{s.S3.Client(&http.Client{Transport: transport, Timeout: limit}), transport.CloseIdleConnections}, nil
}

// metadata returns one entry of an object's metadata, "" when there is no such entry or no object.
func (c storage) metadata(ctx context.Context, bucket, key, name string) (string, error) {
	head, err := c.api.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &bucket, Key: &key})
	var missing *types.NotFound
	if errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return head.Metadata[name], nil
}

func (c storage) remove(ctx context.Context, bucket, key string) error {
	_, err := c.api.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	return err
}
