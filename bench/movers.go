package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// storage is how to reach an S3 server.
type storage struct {
	emulator.Access
	Bucket string `json:"bucket"`
}

// task is what movePlain has to do, as its process gets it.
type task struct {
	URL     string
	Storage storage
}

func (s storage) client() (*s3.Client, error) {
	by, err := s.HTTPClient()
	return s.Client(by), err
}

// movePlain is what one writes first: a GET whose body goes into the SDK's transfer manager.
func movePlain(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
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
		Bucket: &t.Storage.Bucket, Key: aws.String(objectKey), Body: resp.Body,
	})
	return err
}
