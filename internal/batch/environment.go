package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// StorageFromEnvironment is the bucket that BUCKET names, with BUCKET_OWNER and KMS_KEY_ID if they are set, and the AWS
// SDK's own variables.
func StorageFromEnvironment(getenv func(string) string) (Storage, error) {
	if getenv("BUCKET") == "" {
		return Storage{}, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return Storage{}, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	return Storage{
		S3:     s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = getenv("AWS_ENDPOINT_URL_S3") != "" }),
		Bucket: getenv("BUCKET"), Owner: getenv("BUCKET_OWNER"), KMSKey: getenv("KMS_KEY_ID"),
	}, nil
}
