# Works with the make of macOS (3.81) too. The first target is what `make` alone shows.
SHELL := /bin/sh
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Go's usual homes, for shells (and sudo) that do not look there.
export PATH := $(PATH):/usr/local/go/bin:/opt/homebrew/bin

.PHONY: help run test check bench build

help: ## show these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  %s %-7s", $$1, $$2; $$1 = $$2 = ""; print $$0 }'

run: ## install what is missing, build, and open the market on http://localhost:8080
	@sh deploy/dev/run.sh

test: ## install what is missing and run every test, with the race detector
	@sh deploy/dev/test.sh

check: ## formatting, vet, staticcheck, tidy go.mod
	@echo "Checking the formatting"; bad=$$(gofmt -l cmd internal migrations static templates); \
	if [ -n "$$bad" ]; then echo "Not formatted; run gofmt -w on:"; echo "$$bad"; exit 1; fi
	@echo "Checking with go vet"; go vet ./...
	@echo "Checking with staticcheck"; go run $(STATICCHECK) ./...
	@echo "Checking that go.mod is tidy"; go mod tidy -diff

bench: ## measure pages and verbs beside yardsticks, with 20,000 and 100,000 products
	go run ./internal/testkit/withservers -durable go test -tags bench -count=1 -v -timeout 30m ./internal/bench/

build: ## build bin/ocop, one static file
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/ocop ./cmd/ocop
