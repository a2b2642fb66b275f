package sfn

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Objects is the S3 that distributed Map states read their items from and write their results to.
type Objects interface {
	asl.ObjectReader
	// PutObject writes an object of that many bytes.
	PutObject(ctx context.Context, bucket, key string, body io.ReadSeeker, size int64) error
}

// encode is json.Marshal without the escapes for HTML, which make signed URLs unreadable and texts longer.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
