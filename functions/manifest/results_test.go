package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// succeed leaves what the map does when the plan's one archive was made.
func succeed(t *testing.T, s *s3test.Server, p batch.Plan) {
	t.Helper()
	items, _ := s.Object(t, p.Items.Key)
	var all []json.RawMessage
	if err := json.Unmarshal(items, &all); err != nil {
		t.Fatal(err)
	}
	input, _ := json.Marshal(string(all[0]))
	output, _ := json.Marshal(`{"output":{"key":"k","size":12,"entries":3}}`)
	folder := p.Results.Prefix + "/run/"
	s.Put(t, folder+"SUCCEEDED_0.json", fmt.Sprintf(`[{"Status":"SUCCEEDED","Input":%s,"Output":%s}]`, input, output))
	s.Put(t, folder+"manifest.json", fmt.Sprintf(`{"ResultFiles":{"FAILED":[],"PENDING":[],"SUCCEEDED":[{"Key":"%sSUCCEEDED_0.json","Size":1}]}}`, folder))
}
