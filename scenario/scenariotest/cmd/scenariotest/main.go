// Command scenariotest serves a stand-in of the Scenario API (see package scenariotest) until it is interrupted. When it
// is ready it prints one line, its base URL:
//
//	$ scenariotest -addr 127.0.0.1:9090 -assets 1000 -asset-size 20MiB
//	http://127.0.0.1:9090/v1
//
// Then, for example:
//
//	curl -u local-key:local-secret http://127.0.0.1:9090/v1/assets/archive \
//	  -d '{"query":{"assetIds":["asset_one","asset_two"]},"options":{"flat":true}}'
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
