# Kapok: `make help` lists the targets.

# The tools that `make lint` and `make test` need, at exactly these versions.
# Each is built once into /.tools, which git ignores.
GOLANGCI_LINT_VERSION := v2.15.0
GOTESTSUM_VERSION     := v1.13.0

TOOLS         := $(CURDIR)/.tools
# The client in TypeScript whose types the tests generate, with its generator.
CLIENT        := docs/clients/typescript
# The reader that the tests hold against Kapok's MCAP files.
READER        := cmd/kapok/internal/mcap/testdata/reader
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOTESTSUM     := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)/gotestsum

# Everything but the race detector is built without cgo and with one set of
# flags: every other combination is another cold build of all dependencies.
export CGO_ENABLED := 0

# What follows the sub-command of `make demo`, e.g. ARGS="--for 120s --speed 4".
ARGS ?=
# Which packages are tested and measured.
PKG ?= ./...
# Which benchmarks `make bench` runs, which commands of `kapok bench` after them,
# and how long each fuzz target is fuzzed.
BENCH    ?= .
COMMANDS ?= ingest fanout fences routes air tasks overload sim
FUZZTIME ?= 1m

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/kapok
	go build -o bin/kapok ./cmd/kapok

.PHONY: demo
demo: build ## run the demonstration; ARGS="--for 120s --speed 4"
	@bin/kapok demo $(ARGS)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## verify the lint rules, then lint and vet
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run
	go vet $(PKG)

# The tests come last, so that the output ends with their summary; what follows
# them speaks only when it fails. Tests may leave nothing behind in the tree.
.PHONY: test
test: cc client lint $(GOTESTSUM) ## install what is missing, lint, vet, test with the race detector
	@before="$$(git status --porcelain 2>/dev/null)"; \
	CGO_ENABLED=1 $(GOTESTSUM) --format pkgname-and-test-fails --format-hide-empty-pkg \
		-- -race -vet=off -timeout 10m $(PKG) || exit 1; \
	go test -tags mutants -run 'Mutations|EveryBug' ./sim || exit 1; \
	after="$$(git status --porcelain 2>/dev/null)"; \
	if [ "$$before" != "$$after" ]; then \
		echo "make test: the tests changed the working tree:" >&2; \
		printf '%s\n' "$$after" >&2; exit 1; \
	fi

# All commands are run, also after one whose bounds do not hold.
.PHONY: bench
bench: build ## run the benchmarks; BENCH=regexp PKG=./planner/... COMMANDS="ingest fanout"
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)
	@failed=; \
	for name in $(COMMANDS); do \
		echo; bin/kapok bench $$name -o table || failed="$$failed $$name"; \
	done; \
	if [ -n "$$failed" ]; then \
		echo "make bench: bounds that do not hold:$$failed" >&2; exit 1; \
	fi

.PHONY: bench-routes
bench-routes: build ## shortest ways on the MovingAI maps in KAPOK_DATA/grid, each length held to an exact search
	@bin/kapok bench routes -o table

# Fuzz minutes and seed sweeps: too long for every change, right for every night.
# A finding becomes a file in testdata/fuzz, and so a test.
.PHONY: soak
soak: client ## fuzz every target for FUZZTIME, then the long tests (KAPOK_SOAK=1)
	@.ci/fuzz $(FUZZTIME) $(PKG)
	KAPOK_SOAK=1 go test -timeout 4h $(PKG)

# docs/mutations.md says what finds each deliberate bug.
.PHONY: mutations
mutations: ## hunt for the seeds that find each deliberate bug, and write them down
	KAPOK_MUTATIONS=all go test -tags mutants -timeout 2h -run TestHuntMutations ./sim

.PHONY: clean
clean: ## remove what was built, the tools included
	rm -rf bin .tools $(CLIENT)/node_modules $(READER)/node_modules

# The race detector needs a C compiler and the headers of the C library.
.PHONY: cc
cc:
	@.ci/install-cc

# The generated client needs its generator and the TypeScript compiler, at the
# versions of the lock file; recordings are read back by MCAP's own reader.
.PHONY: client
client: $(CLIENT)/node_modules/.installed $(READER)/node_modules/.installed
$(CLIENT)/node_modules/.installed: $(CLIENT)/package.json $(CLIENT)/package-lock.json
	@.ci/install-client $(CLIENT)
	@touch $@
$(READER)/node_modules/.installed: $(READER)/package.json $(READER)/package-lock.json
	@.ci/install-client $(READER)
	@touch $@

$(GOLANGCI_LINT):
	GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOTESTSUM):
	GOBIN=$(@D) go install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)
