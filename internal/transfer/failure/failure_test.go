package failure

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestErrorsNeverShowTheURL(t *testing.T) {
	t.Parallel()
	inner := &url.Error{Op: "Get", URL: "https://x/?Signature=SECRET", Err: errors.New("broken")}
	for _, err := range []error{inner, fmt.Errorf("wrapped: %w", inner), &url.Error{URL: "SECRET", Err: inner}} {
		e := As("read source", SourceUnavailable, err)
		if strings.Contains(e.Error(), "SECRET") || !strings.Contains(e.Error(), "broken") {
			t.Errorf("error %q", e)
		}
	}
}
