# PhotoVault in two commands: `make run` and `make test`. Both install what is missing, saying what they do.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/photovault
export CARGO_TARGET_DIR ?= $(CACHE)/target
# Histories of `make simulate`.
N ?= 10000000
export PHOTOVAULT_VENV ?= $(CACHE)/venv

.DEFAULT_GOAL := help
.PHONY: help setup run test test-peers bench simulate torture fuzz lambda layer tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: tools ## Build, start the vault and import a sample library, or your photos: make run PHOTOS=dir
	@scripts/run.sh

test: tools ## Format, lints, every test, the template's lint
	@scripts/test.sh

test-peers: tools ## The same story on two other emulators of AWS (part of `make test` too)
	@cargo test --release -p photovault -p photovault-tests --test vault peers

bench: tools ## Measure imports, start times and cost against the vault's size
	@scripts/bench.sh

simulate: tools ## Simulate N histories of faults against the vault's promises (10,000,000 for a release)
	@cargo build --release -p photovault -p photovault-simulation
	@$(CARGO_TARGET_DIR)/release/photovault-simulation --histories $(N)

torture: tools ## Kill, flood and poison the engine for long, and show the figures
	@scripts/torture.sh

fuzz: tools ## Hurt inputs for every parser (SECONDS_IN_ALL=600) and hurt files of PHOTOVAULT_CORPUS (COUNT=20000)
	@scripts/fuzz.sh

lambda: tools ## Build the functions for AWS: FUNCTIONS="notify video" for some, ARCHITECTURE=arm64 for Graviton
	@scripts/lambda.sh $(FUNCTIONS)

layer: tools ## Build the media layer for AWS from its pinned sources
	@scripts/lambda.sh media

# `sam build` comes here for each function and the layer, and wants its files in ARTIFACTS_DIR. The template's default processor.
build-%: export ARCHITECTURE ?= arm64
build-%Function: tools
	@scripts/lambda.sh $(shell echo $* | sed -E 's|([a-z])([A-Z])|\1-\2|g' | tr A-Z a-z)
build-MediaLayer: tools
	@scripts/lambda.sh media

setup: tools ## Install native packages, the tests' Python tools and their virus scanner where missing

# What a target wants beside what the build does.
setup test: NEEDS = python peers clamav
test-peers: NEEDS = peers
bench lambda layer build-MediaLayer: NEEDS = python
build-%Function: NEEDS = python
tools:
	@scripts/setup.sh $(NEEDS)
