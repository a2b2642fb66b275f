package rest

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Presigner signs the link; *s3.PresignClient has it.
type Presigner interface {
	PresignGetObject(context.Context, *s3.GetObjectInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
}

// Linker makes links that last for lasting, and that a browser saves under the archive's own name. Signing asks nobody:
// the link also stands when the object has been removed since. A link ends earlier when the credentials that signed it
// do.
func Linker(p Presigner, bucket string, lasting time.Duration, now func() time.Time) func(ctx context.Context, bucket, key string) (Link, error) {
	return func(ctx context.Context, in, key string) (Link, error) {
		if in != bucket {
			return Link{}, fmt.Errorf("the object is in the bucket %q, which is not this deployment's", in)
		}
		name := path.Base(key)
		signed, err := p.PresignGetObject(ctx, &s3.GetObjectInput{
			Bucket: &bucket, Key: &key, ResponseContentDisposition: new(disposition(name)),
		}, s3.WithPresignExpires(lasting))
		if err != nil {
			return Link{}, fmt.Errorf("sign: %w", err)
		}
		return Link{URL: signed.URL, ExpiresAt: now().Add(lasting).UTC().Truncate(time.Second), FileName: name}, nil
	}
}

// disposition is "attachment" with a file name (RFC 6266): in ASCII for old clients, and in UTF-8 when it is another.
func disposition(name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\%/;`, c) {
			return '_'
		}
		return c
	}, name)
	text := mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
	if ascii != name {
		text += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return text
}

var _ http.Handler = (*api)(nil)
