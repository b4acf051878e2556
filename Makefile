# Two commands do all the set-up on a fresh machine that has Swift: `make demo` and `make test`.
# `make help` lists the targets.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
# The demo runs the release build; DEMO_CONFIGURATION=debug spares the optimiser's minute.
DEMO_CONFIGURATION ?= release
# Worlds that are simulated; each has many hundred crash points, 1080 of them about a million.
SEEDS ?= 1080
SIMULATE_ARGUMENTS ?=
# Real runs, and real processes that are killed while they work.
RUNS ?= 1000
KILLS ?= 500
TORTURE_ARGUMENTS ?=
# Runs that are held in flight, and for how long.
SOAK_RUNS ?= 1000
SOAK_MINUTES ?= 10
SOAK_ARGUMENTS ?=
# Arguments for the benchmarks, for example BENCH_ARGUMENTS="--json bench.json".
BENCH_ARGUMENTS ?=

RELEASE = $(shell SWIFT="$(SWIFT)" ./.ci/release-flags)
RELEASE_BIN := .build/release
ifeq ($(DEMO_CONFIGURATION),debug)
DEMO_FLAGS :=
DEMO_BIN := .build/debug
else
DEMO_FLAGS = $(RELEASE)
DEMO_BIN := $(RELEASE_BIN)
endif

.DEFAULT_GOAL := help
.PHONY: help build demo test conformance check bench simulate torture soak fuzz install

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the release build: .build/release/waybill and its supervisor, with the Swift runtime inside
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) build $(RELEASE) --product waybill
	$(SWIFT) build $(RELEASE) --product waybill-supervisor

demo: ## set up, build, release this repository, lose the daemon, finish, audit the run
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib git jq
	$(SWIFT) build $(DEMO_FLAGS) --product waybill
	$(SWIFT) build $(DEMO_FLAGS) --product waybill-supervisor
	@./Tests/Scripts/demo.sh "$(CURDIR)/$(DEMO_BIN)/waybill"

# End-to-end tests wait for real processes and clocks: one after the other, none is starved by another's.
test: ## set up, build and run every test, then the conformance suites where they are at hand
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib git jq
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --skip '^EndToEnd\.'
	$(SWIFT) test --skip-build --no-parallel --filter '^EndToEnd\.'
	@SWIFT="$(SWIFT)" ./.ci/conformance
	$(SWIFT) build $(RELEASE) --product simulate
	$(RELEASE_BIN)/simulate --stories --jobs 2

conformance: ## the conformance suites alone (WAYBILL_CONFORMANCE names their folder)
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) build --product conformance
	@SWIFT="$(SWIFT)" ./.ci/conformance

# Compiler warnings need no look of their own: every Swift target is built with warnings as errors.
# Nothing else builds the fuzzers' properties, so that they are compiled here, without libFuzzer.
check: ## the formatter's lint, the shell scripts, the tidy test, and whether the fuzzers compile
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift
	@./.ci/lint-scripts
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --filter '^Tidy\.'
	WAYBILL_FUZZ=1 $(SWIFT) build --target fuzz

bench: ## measure the release build beside raw baselines
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) build $(RELEASE) --product waybill
	$(SWIFT) build $(RELEASE) --product waybill-supervisor
	$(SWIFT) build $(RELEASE) --product benchmarks
	$(RELEASE_BIN)/benchmarks $(BENCH_ARGUMENTS)

# SEEDS=100 make simulate; SIMULATE_ARGUMENTS="--from 5000" goes on elsewhere.
simulate: ## crash simulated daemons at every operation on files, and check what must hold
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml
	$(SWIFT) build $(RELEASE) --product simulate
	$(RELEASE_BIN)/simulate --seeds $(SEEDS) --jobs 2 $(SIMULATE_ARGUMENTS)

# RUNS=100 KILLS=50 make torture; TORTURE_ARGUMENTS="--seed 7 --keep" as for that seed, and keeps the tree.
torture: ## kill daemons, supervisors, monitors and steps at work, and check that nothing is lost or done twice
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) build $(RELEASE) --product waybill
	$(SWIFT) build $(RELEASE) --product waybill-supervisor
	$(SWIFT) build $(RELEASE) --product torture
	$(RELEASE_BIN)/torture --runs $(RUNS) --kills $(KILLS) $(TORTURE_ARGUMENTS)

# SOAK_ARGUMENTS="--seed 7 --svg soak.svg --json soak.json" for the plot and the samples.
soak: ## hold 1,000 runs in flight for ten minutes, and check that memory, open files and latency stay flat
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml zlib
	$(SWIFT) build $(RELEASE) --product waybill
	$(SWIFT) build $(RELEASE) --product waybill-supervisor
	$(SWIFT) build $(RELEASE) --product soak
	$(RELEASE_BIN)/soak --runs $(SOAK_RUNS) --minutes $(SOAK_MINUTES) $(SOAK_ARGUMENTS)

# FUZZ_SECONDS=600 FUZZ_TARGETS="yaml expression" make fuzz
fuzz: ## feed every reader with made-up input for a minute each, and check what must hold
	@SWIFT="$(SWIFT)" ./.ci/setup swift yaml
	@SWIFT="$(SWIFT)" ./.ci/fuzz

install: build ## install the command, its completions and its systemd unit below PREFIX (default /usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" \
	    "$(DESTDIR)$(PREFIX)/lib/systemd/system" "$(DESTDIR)$(PREFIX)/lib/systemd/user" \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
	    "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	install -m 755 $(RELEASE_BIN)/waybill "$(DESTDIR)$(PREFIX)/bin/waybill"
	install -m 755 $(RELEASE_BIN)/waybill-supervisor "$(DESTDIR)$(PREFIX)/bin/waybill-supervisor"
	for kind in system user; do \
	    sed "s|@PREFIX@|$(PREFIX)|; s|@TARGET@|$$([ $$kind = system ] && echo multi-user || echo default).target|" \
	        Sources/waybill/Units/waybill@.service > "$(DESTDIR)$(PREFIX)/lib/systemd/$$kind/waybill@.service"; \
	done
	$(RELEASE_BIN)/waybill --generate-completion-script bash \
	    > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/waybill"
	$(RELEASE_BIN)/waybill --generate-completion-script zsh \
	    > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_waybill"
	$(RELEASE_BIN)/waybill --generate-completion-script fish \
	    > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/waybill.fish"
