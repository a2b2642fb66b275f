# Every command a person runs. `make` alone lists them.

GOFLAGS_LAMBDA := -tags lambda.norpc -trimpath -ldflags='-s -w'
GOARCH_LAMBDA ?= arm64
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))
MODULES := . local bench ci
# RACE=1 turns the race detector on; it needs a C compiler, which plain `make test` does not.
RACE ?=
# COVER=DIR writes coverage profiles there.
COVER ?=
# Without the race detector as the programs are built that the tests run: then each package is compiled once.
test_env = $(if $(RACE),,CGO_ENABLED=0)
test_flags = $(if $(RACE),-race) $(if $(COVER),-coverprofile=$(abspath $(COVER))/cover-$(1).out)

.DEFAULT_GOAL := help
.PHONY: help run up follow sync test lint bench build sam-up sam-local deploy destroy clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .local/bin/local ## One archive, whole and local. INPUT=file.json gives the request; BATCH=1 allows over 1000 assets, DRY_RUN=1 asks its cost
	@.local/bin/local run $(if $(INPUT),-input '$(INPUT)') $(if $(BATCH),-batch) $(if $(DRY_RUN),-dry-run)

up: .local/bin/local ## The whole system on this machine, until interrupted
	@.local/bin/local up

follow: .local/bin/local ## Follow an archive that was started anywhere: ID=its ID or ARN (with make up running)
	@.local/bin/local follow -id '$(ID)' $(if $(URL),-url '$(URL)')

sync: .local/bin/local ## Run a sync now: NAME=its name, or all (with make up running). FULL=1 lists everything again
	@.local/bin/local sync -name '$(NAME)' $(if $(FULL),-full)

# go build is the judge of what is stale, so the runner is always asked for.
.PHONY: .local/bin/local
.local/bin/local:
	@command -v go >/dev/null || { echo "Go is not installed: see https://go.dev/dl/" >&2; exit 2; }
	@[ -x $@ ] || echo "Building the local runner. The first time this takes about a minute; its modules are downloaded too ..." >&2
	@CGO_ENABLED=0 go build -C local -buildvcs=false -ldflags='-s -w' -o ../$@ .

test: ## All tests; needs Go and nothing else. RACE=1 adds the race detector
	$(test_env) go test $(call test_flags,root) ./...
	$(test_env) go test -C local $(call test_flags,local) ./...

lint: ## gofmt, go vet, staticcheck, govulncheck
	@bash ci/lint.sh $(MODULES)

bench: ## Speed and memory, beside what one would otherwise use
	go run -C bench .

build: ## The functions as they are deployed (linux/$(GOARCH_LAMBDA)), with their sizes
	@for f in $(FUNCTIONS); do $(MAKE) --no-print-directory function-$$f ARTIFACTS_DIR=bin/$$f || exit 1; done
	@for f in $(FUNCTIONS); do printf '%-10s %5.1f MB\n' $$f $$(wc -c < bin/$$f/bootstrap | awk '{ print $$1 / 1e6 }'); done

# `sam build` asks for build-<logical ID> with ARTIFACTS_DIR set.
build-%Function:
	@$(MAKE) --no-print-directory function-$(shell echo $* | tr A-Z a-z)

.PHONY: $(addprefix function-,$(FUNCTIONS))
$(addprefix function-,$(FUNCTIONS)): function-%:
	@mkdir -p $(ARTIFACTS_DIR)
	CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_LAMBDA) go build $(GOFLAGS_LAMBDA) -o $(ARTIFACTS_DIR)/bootstrap ./functions/$*

sam-up: ## `sam local` in another terminal reaches the system of `make up`; needs Docker and Python
	@python3 ci/sam_up.py

sam-local: ## The functions in containers, by `sam local`; needs Docker and Python
	@bash ci/sam-local.sh

deploy: ## Build and deploy to AWS, after a look for what would fail. CONFIG=prod for production, YES=1 asks nothing
	@bash deploy/deploy.sh

destroy: ## Delete the stack of CONFIG; the bucket stays. YES=1 asks nothing
	@bash deploy/destroy.sh

clean: ## Remove what was built and what local runs left, the archives too
	rm -rf .local .aws-sam bin
