package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// killOfAPI asks for an archive by HTTP and kills the API's process meanwhile. With one Idempotency-Key it is asked for until
// there is an answer, and must be one archive.
func killOfAPI(ctx context.Context, c *chaos, rng *rand.Rand) (hit bool, err error) {
	name := fmt.Sprintf("api-%016x", rng.Uint64())
	r := &request{name: name, machine: "STATE_MACHINE_ARN", assets: []string{"asset_" + name}}
	r.input = archiveInput(r.assets, r.unpack)
	c.posted = append(c.posted, r)
	first := make(chan struct{})
	url := c.Env["API_URL"]
	go func() {
		defer close(first)
		r.arn, _ = post(ctx, url, r) // the loop below asks again
	}()
	for answered := false; !answered; {
		select {
		case <-first:
			answered = true
		case <-time.After(time.Millisecond):
			hit = hit || c.kill("api")
		}
	}
	for r.arn == "" && ctx.Err() == nil {
		if err := c.restart(ctx); err != nil {
			return hit, err
		}
		if r.arn, err = post(ctx, c.Env["API_URL"], r); err != nil {
			pause(ctx, 100*time.Millisecond)
		}
	}
	return hit, ctx.Err()
}

// post starts an archive through the API and gives its execution's ARN.
func post(ctx context.Context, url string, r *request) (arn string, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/archives", strings.NewReader(r.input))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Idempotency-Key", r.name)
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("the API answers %d: %.300s", resp.StatusCode, body)
	}
	if err != nil {
		return "", err
	}
	var answer struct {
		ExecutionARN string `json:"executionArn"`
	}
	err = json.Unmarshal(body, &answer)
	return answer.ExecutionARN, err
}
