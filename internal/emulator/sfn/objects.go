package sfn

import (
	"context"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Objects is the S3 that distributed Map states read their items from and write their results to.
type Objects interface {
	asl.ObjectReader
	// PutObject writes an object of that many bytes.
	PutObject(ctx context.Context, bucket, key string, body io.ReadSeeker, size int64) error
}
