package bucket

import (
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Tagging is an object's tags as S3 takes them; nil for none.
func Tagging(tags map[string]string) *string {
	if len(tags) == 0 {
		return nil
	}
	v := url.Values{}
	for name, value := range tags {
		v.Set(name, value)
	}
	return aws.String(v.Encode())
}

// Encryption is what is asked of S3 for an object with this KMS key; "" leaves it to the bucket's default.
func Encryption(kmsKey string) types.ServerSideEncryption {
	if kmsKey == "" {
		return ""
	}
	return types.ServerSideEncryptionAwsKms
}

// CheckEncryption compares S3's answer with that: a server that does not know SSE-KMS stores in the clear and says nothing.
func CheckEncryption(kmsKey string, got types.ServerSideEncryption) error {
	if kmsKey != "" && got != types.ServerSideEncryptionAwsKms {
		return fmt.Errorf("asked for SSE-KMS, S3 answered %q", got)
	}
	return nil
}
