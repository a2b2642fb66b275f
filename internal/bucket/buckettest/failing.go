// Package buckettest breaks S3 for tests.
package buckettest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// ErrFault is what a broken call ends with.
var ErrFault = errors.New("the connection broke")

// Failing is a client like another whose calls of one operation ("PutObject") fail with ErrFault after so many went
// well.
func Failing(client *s3.Client, operation string, after int) *s3.Client {
	var calls atomic.Int64
	fail := middleware.InitializeMiddlewareFunc("fault", func(ctx context.Context, in middleware.InitializeInput,
		next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if awsmiddleware.GetOperationName(ctx) == operation && calls.Add(1) > int64(after) {
			return middleware.InitializeOutput{}, middleware.Metadata{}, fmt.Errorf("call: %w", ErrFault)
		}
		return next.HandleInitialize(ctx, in)
	})
	return s3.New(client.Options(), func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(fail, middleware.After)
		})
	})
}
