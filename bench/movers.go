package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"net/http"
	"os"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// children are what this binary does when it runs itself.
var children = map[string]func([]string) error{
	"_source": serveSource, "_sink": serveSink, "_plain": movePlain,
}

// storage is how to reach an S3 server: the line that the sink prints.
type storage struct {
	Endpoint        string `json:"endpoint"`
	CAFile          string `json:"caFile"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	Region          string `json:"region"`
	Bucket          string `json:"bucket"`
}

type task struct {
	URL     string
	Key     string
	Storage storage
}

func parseTask(args []string) (t task, err error) {
	flags := flag.NewFlagSet("mover", flag.ExitOnError)
	text := flags.String("task", "", "")
	_ = flags.Parse(args)
	return t, json.Unmarshal([]byte(*text), &t)
}

func (s storage) client() (*s3.Client, error) {
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	httpClient := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig = &tls.Config{RootCAs: roots}
	})
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, HTTPClient: httpClient,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, ""),
	}), nil
}

// movePlain is what one writes first: a GET whose body goes into the SDK's transfer manager.
func movePlain(args []string) error {
	t, err := parseTask(args)
	if err != nil {
		return err
	}
	client, err := t.Storage.client()
	if err != nil {
		return err
	}
	resp, err := http.Get(t.URL)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = transfermanager.New(client).UploadObject(context.Background(), &transfermanager.UploadObjectInput{
		Bucket: &t.Storage.Bucket, Key: &t.Key, Body: resp.Body,
	})
	return err
}
