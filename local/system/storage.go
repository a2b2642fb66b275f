package system

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
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
	roots, err := s.roots()
	if err != nil {
		return storage{}, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return storage{awss3.New(awss3.Options{
		Region: s.S3.Region, BaseEndpoint: &s.S3.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.S3.AccessKeyID, s.S3.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: transport, Timeout: limit},
	}), transport.CloseIdleConnections}, nil
}

// roots are the authority that has made the S3 server's certificate.
func (s *System) roots() (*x509.CertPool, error) {
	pem, err := os.ReadFile(s.S3.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", s.S3.CAFile)
	}
	return roots, nil
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
