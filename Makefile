# The two commands of a new user: "go run ./cmd/liqwatch demo" and "make test".

GO       ?= go
BIN      := $(CURDIR)/.cache/bin
LINT     := $(BIN)/golangci-lint
LINT_VER := v2.15.0
TESTTIME := 25m

.PHONY: build test check fmt vet lint bench fuzz kills burst machines messages rules history-year scale demo-recording page-pictures clean

build:
	$(GO) build -o liqwatch ./cmd/liqwatch

# Tests fetch the node and the contract packages they need, pinned and checked, on first use.
test:
	$(GO) test -race -timeout $(TESTTIME) ./...

check: fmt vet lint test

fmt:
	@files="$$(gofmt -l $$(git ls-files '*.go'))"; \
	if [ -n "$$files" ]; then echo "not formatted (gofmt -w):"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

lint: $(BIN)/golangci-lint-$(LINT_VER)
	$(LINT) run ./...

$(BIN)/golangci-lint-$(LINT_VER):
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VER)
	@touch $@

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Every fuzz target for FUZZTIME each.
FUZZTIME ?= 1m
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

# The long runs: the same tests as in "make test", at full length.
KILLS ?= 1000
kills:
	LIQWATCH_KILLS=$(KILLS) $(GO) test -count=1 -timeout 60m -v -run KillsOfWatch ./cmd/liqwatch

# 10,080 positions that cross in one block.
BURST ?= 12600
burst:
	LIQWATCH_BURST=$(BURST) $(GO) test -count=1 -timeout 30m -v -run TestABurst ./internal/e2e

# A million deliveries claimed by three processes that take turns, and a leader stopped for two minutes.
CLAIMS ?= 1000000
machines:
	LIQWATCH_CLAIMS=$(CLAIMS) $(GO) test -count=1 -v -timeout 120m -run HandedOutTwice ./internal/store
	LIQWATCH_PAUSE=120s $(GO) test -count=1 -v -timeout 30m -run ThreeProcesses ./internal/e2e

# Ten thousand messages to a receiver that misbehaves, and as many in one block.
messages:
	LIQWATCH_MESSAGES=10000 $(GO) test -count=1 ./internal/store -run 'BadDay|ABurst' -v -timeout 30m

# The rules against naive programs and calm runs: 100 times the cases of "make test", 10,000 of each.
CASES ?= 100
rules:
	LIQWATCH_CAMPAIGN=$(CASES) $(GO) test -count=1 -v -timeout 60m -run 'Naive|Reorgs|WhatGoesWrong' ./internal/alerts

# A whole year of history of 50 markets, written and weighed: two minutes, 200 MB on the disk.
history-year:
	LIQWATCH_HISTORY_MARKETS=50 $(GO) test -count=1 -v -timeout 30m -run TestAYearOfHistoryIsSmall ./internal/store

# The page with 500,000 positions and a year of history in a browser, and a million accounts in one band.
scale:
	LIQWATCH_POSITIONS=500000 $(GO) test -count=1 -v -timeout 30m -run TestFirstViewOfManyPositions ./internal/web
	LIQWATCH_POSITIONS=1000000 $(GO) test -count=1 -v -timeout 30m -run TestAllAccountsInOneBand ./internal/web
	$(GO) test -run '^$$' -bench 'BenchmarkWhatIf|BenchmarkAnswers|BenchmarkViewers' ./internal/web

# What "liqwatch demo" plays, made again on a devnet: whenever what is read of a market changes.
demo-recording:
	./devnet/record-demo.sh

# The pictures of docs/page.md, taken of the demo in a real browser.
page-pictures:
	LIQWATCH_PICTURES=$(CURDIR)/docs/pictures $(GO) test -count=1 -run TestDemoInABrowser ./internal/web

clean:
	rm -rf liqwatch .cache
