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

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// Linker makes links that last for lifetime, and that a browser saves under the archive's own name. Signing asks
// nobody: the link also stands when the object has been removed since.
func Linker(b bucket.Bucket, lifetime time.Duration) func(ctx context.Context, bucket, key string) (Link, error) {
	return func(ctx context.Context, in, key string) (Link, error) {
		if in != b.Name {
			return Link{}, fmt.Errorf("the object is in the bucket %q, which is not this deployment's", in)
		}
		name := path.Base(key)
		signed, expires, err := b.Presign(ctx, key, lifetime, bucket.PresignOptions{ContentDisposition: disposition(name)})
		if err != nil {
			return Link{}, err
		}
		return Link{URL: signed, ExpiresAt: expires.UTC().Truncate(time.Second), FileName: name}, nil
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
