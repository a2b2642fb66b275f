package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

func TestReportNamesMissingAssets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ output, want string }{
		{`{"bucket":"b","key":"k.zip","entries":1,"requested":3,"missing":{"count":2,"assetIds":["asset_a","asset_b"]}}`,
			"Missing:  2 of the 3 assets that were asked for are not in the archive: \"asset_a\""},
		{`{"bucket":"b","key":"k.zip","entries":1,"requested":3,"missing":{"count":2}}`,
			"Missing:  2 of the 3 assets that were asked for are not in the archive\n"},
		{`{"bucket":"b","key":"k.zip","entries":3,"requested":3}`, ""},
	} {
		var shown, stdout bytes.Buffer
		screen := display.NewScreen(&shown, os.Getenv)
		c := &settings{dir: "dir", screen: screen}
		status := c.report(&stdout, stepfunctions.Execution{Status: asl.StatusSucceeded, Output: json.RawMessage(test.output)}, display.Times{})
		screen.Close()
		if status != statusOK || !strings.Contains(shown.String(), test.want) || test.want == "" && strings.Contains(shown.String(), "Missing") {
			t.Errorf("status %d, shown %q, want %q", status, shown.String(), test.want)
		}
	}
}
