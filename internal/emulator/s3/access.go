package s3

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Access is what a client needs. As JSON it is the line that `local s3` prints.
type Access struct {
	Endpoint        string `json:"endpoint"` // https://127.0.0.1:port
	CAFile          string `json:"caFile"`   // PEM; the certificate authority that the client has to trust; "" for a public one
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	Region          string `json:"region"`
}

// TLS trusts the server; nil when its certificate is a public one.
func (a Access) TLS() (*tls.Config, error) {
	if a.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", a.CAFile)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// HTTPClient is the SDK's own, which trusts the server.
func (a Access) HTTPClient() (*awshttp.BuildableClient, error) {
	trust, err := a.TLS()
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig = trust.Clone() }), err
}

// Client makes a client that goes by an HTTP client of the caller's.
func (a Access) Client(by awss3.HTTPClient, more ...func(*awss3.Options)) *awss3.Client {
	return awss3.New(awss3.Options{
		Region: a.Region, BaseEndpoint: &a.Endpoint, UsePathStyle: true, HTTPClient: by,
		Credentials: credentials.NewStaticCredentialsProvider(a.AccessKeyID, a.SecretAccessKey, ""),
	}, more...)
}

// Connect makes a client whose requests may take that long, their bodies included (0: for ever). closeIdle ends its
// connections.
func (a Access) Connect(limit time.Duration, more ...func(*awss3.Options)) (client *awss3.Client, closeIdle func(), err error) {
	trust, err := a.TLS()
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{TLSClientConfig: trust}
	return a.Client(&http.Client{Transport: transport, Timeout: limit}, more...), transport.CloseIdleConnections, nil
}
