package main

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// children are what this binary does when it runs itself.
var children = map[string]func([]string) error{
	"_source": serveSource, "_sink": serveSink, "_plain": movePlain,
}

// storage is how to reach an S3 server: the line that the sink prints.
type storage struct {
	emulator.Access
	Bucket string `json:"bucket"`
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
	by, err := s.HTTPClient()
	return s.Client(by), err
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
