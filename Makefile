# Drives the rest: PGXS builds the extension (extension/Makefile), CMake all that knows no server, scripts/ run them.
.DEFAULT_GOAL := help
.PHONY: help deps build run check mutation fuzz lint check-docker install bench clean

# Where `make install` puts the extension. The default is the PostgreSQL of this machine; run and check use their own.
PG_CONFIG ?= pg_config
JOBS := $(shell nproc)

help: ## print this
	@echo "RelyGate: visitor management inside PostgreSQL"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## install the Debian packages that building and testing need
	scripts/deps check

build: ## build the extension, the shim and relygate-token
	scripts/build

run: ## build, start a private PostgreSQL with demo data and serve HTTP on 127.0.0.1:3000 until Ctrl-C (PORT, METRICS_PORT)
	@scripts/run

check: ## install what tests need, build and pass all tests (ONLY=unit|sql|http|... for a part; SANITIZE=1|thread)
	@SANITIZE=$(SANITIZE) scripts/check $(ONLY)

mutation: ## take each defence out in a scratch cluster and see exactly its tests fail (ONLY="word ...", WIDE=1)
	scripts/deps check
	scripts/build
	@/usr/bin/python3 test/mutation/run.py $(if $(WIDE),--wide) $(ONLY)

fuzz: ## run each fuzzer of test/fuzz so long (SECONDS=30)
	@SECONDS_EACH=$(or $(SECONDS),30) scripts/fuzz

lint: ## clang-tidy, clang-format, shellcheck and flake8 over everything
	@scripts/lint

install: ## install the extension into PostgreSQL (PG_CONFIG=...), the programs into /usr/local (PREFIX=...)
	scripts/build PG_CONFIG=$(PG_CONFIG)
	$(MAKE) -C extension install PG_CONFIG=$(PG_CONFIG)
	cmake --install build --prefix $(or $(PREFIX),/usr/local)

bench: ## measure against pgbench and peers in one run, write docs/performance.md (QUICK=1: about 2 minutes; LARGE=N)
	bench/run

check-docker: ## build both images from a bootstrapped Debian and try them (needs root)
	docker/check

clean: ## remove what was built; the data under var/ stay
	$(MAKE) -C extension clean
	rm -rf build
