package rest

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

func TestLink(t *testing.T) {
	t.Parallel()
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	before := time.Now().Truncate(time.Second)
	a := api{Options{Bucket: bucket.Bucket{Signer: s3.NewPresignClient(client), Name: "bucket"}, LinkLifetime: 10 * time.Minute}}
	got, err := a.link(t.Context(), "chars/héros.zip", "héros.zip", "")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got.URL)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host != "bucket.s3.us-east-1.amazonaws.com" || u.Path != "/chars/héros.zip" || u.Query().Get("X-Amz-Expires") != "600" ||
		u.Query().Get("response-content-disposition") != `attachment; filename=h_ros.zip; filename*=UTF-8''h%C3%A9ros.zip` {
		t.Errorf("got %s", u)
	}
	if got.FileName != "héros.zip" || got.ExpiresAt.Before(before.Add(10*time.Minute)) || got.ExpiresAt.After(time.Now().Add(10*time.Minute)) {
		t.Errorf("got %+v", got)
	}
}

func TestDisposition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"heroes.zip":    `attachment; filename=heroes.zip`,
		"two words.zip": `attachment; filename="two words.zip"`,
		`a"b\c;d%e.zip`: `attachment; filename=a_b_c_d_e.zip; filename*=UTF-8''a%22b%5Cc%3Bd%25e.zip`,
		"日本 1.zip":      `attachment; filename="__ 1.zip"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%201.zip`,
		"a\r\nb":        `attachment; filename=a__b; filename*=UTF-8''a%0D%0Ab`,
	} {
		if got := disposition(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}

// A link ends with the credentials that signed it, and says so.
func TestLinkOfCredentialsThatEnd(t *testing.T) {
	t.Parallel()
	ends := time.Now().Add(3 * time.Minute).UTC().Truncate(time.Second)
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret", SessionToken: "token", CanExpire: true, Expires: ends}, nil
	})
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: provider})
	b := bucket.Bucket{Signer: s3.NewPresignClient(client), Credentials: provider, Name: "bucket"}
	a := api{Options{Bucket: b, LinkLifetime: time.Hour}}
	if got, err := a.link(t.Context(), "a.zip", "a.zip", ""); err != nil || !got.ExpiresAt.Equal(ends) {
		t.Errorf("got %+v, %v", got, err)
	}
}
