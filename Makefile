# make demo    build, run the sample project, print its gold tables
# make test    format, lints, licences, build, all tests, the outside readers, the page in a browser
# make fuzz    bytes by chance for what reads files and expressions, ten minutes a target (docs/reliability.md)
# make test-readers  every outside reader: also Spark, Sail and Daft (minutes, a gigabyte of downloads, Java 17, Maven)
# make test-orchestrators  Airflow and Dagster run the sample project by the examples (minutes, some 500 MB)
# make notebooks     execute the notebooks and keep what they show; make test-notebooks compares
# make soak    an hour of faults and random work with random deaths (SOAK_MINUTES=60; needs strace)
# make bench   measure against Polars, deltalake and a hand-written script (minutes, gigabytes; docs/speed.md)
# make sample  write the landing files of the sample project again
# make clean   remove what the above left in this clone, and our own build output
#
# Build output and tools are kept outside the clone, so that a fresh one need not begin at nothing. Set
# CARGO_TARGET_DIR or LAKESMITH_CACHE to keep them elsewhere, PYTHON to use another interpreter.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo build test fmt clippy deny advisories fuzz test-rust test-readers test-page sample clean
.PHONY: test-python test-engines test-orchestrators test-notebooks notebooks
.PHONY: soak soak-faults soak-conflicts soak-deaths soak-work
.PHONY: bench bench-large bench-chart bench-instructions bench-build

PYTHON ?= python3
LAKESMITH_CACHE ?= $(HOME)/.cache/lakesmith
CARGO_TARGET_DIR ?= $(LAKESMITH_CACHE)/target
export CARGO_TARGET_DIR

BIN = $(abspath $(CARGO_TARGET_DIR))/debug/lakesmith
RELEASE = $(abspath $(CARGO_TARGET_DIR))/release/lakesmith
GENERATOR = $(abspath $(CARGO_TARGET_DIR))/tpch/release/lineitem
# Named after the file that names them.
DELTA_JARS = $(LAKESMITH_CACHE)/delta-jars-$(firstword $(shell cksum tests/engines/pom.xml))
GOLD = $(patsubst layers/gold/%.yaml,gold.%,$(wildcard layers/gold/*.yaml))

DENY_VERSION = 0.20.2
DENY = $(LAKESMITH_CACHE)/cargo-deny-$(DENY_VERSION)/bin/cargo-deny

# A virtual environment for a requirements file: named after its content, ready when the stamp is there.
venv_of = $(LAKESMITH_CACHE)/venv-$(firstword $(shell cksum $(1) 2>/dev/null))
TEST_VENV = $(call venv_of,tests/requirements.txt)
ENGINES_VENV = $(call venv_of,tests/engines/requirements.txt)
AIRFLOW_VENV = $(call venv_of,tests/orchestrators/airflow.txt)
DAGSTER_VENV = $(call venv_of,tests/orchestrators/dagster.txt)
NOTEBOOKS_VENV = $(call venv_of,notebooks/requirements.txt)
PAGE_VENV = $(call venv_of,tests/page/requirements.txt)
BENCH_VENV = $(call venv_of,benches/requirements.txt)

help:
	@sed -n 's/^# make/make/p' Makefile

demo: build
	@rm -rf lake
	@$(BIN) run
	@echo && $(BIN) status
	@for table in $(GOLD); do echo && echo "$$table" && $(BIN) show $$table --limit 10; done

build:
	cargo build --locked

test: fmt clippy deny advisories build test-rust test-python test-notebooks test-page
.NOTPARALLEL:

fmt:
	cargo fmt --check
	cargo fmt --check --manifest-path benches/tpch/Cargo.toml

clippy:
	cargo clippy --locked --all-targets -- -D warnings

# The workspaces that nothing else here builds are at least not behind the others.
deny: $(DENY)
	$(DENY) --locked check licenses bans sources
	for other in fuzz benches/tpch; do \
		cargo metadata --quiet --locked --format-version 1 --manifest-path $$other/Cargo.toml >/dev/null || exit 1; \
	done

# The database at one commit, so that a clone that passed today passes tomorrow; a newer one comes with a commit here.
ADVISORIES_PIN = bf5c0d245a92671908518d7e765914d437954ed6
ADVISORIES = $(HOME)/.cache/lakesmith/advisories/advisory-db-3157b0e258782691

advisories: $(DENY)
	@if git -C $(ADVISORIES) cat-file -e $(ADVISORIES_PIN) 2>/dev/null \
		|| { rm -rf $(ADVISORIES) && timeout 120 git clone --quiet https://github.com/rustsec/advisory-db $(ADVISORIES) 2>/dev/null; }; \
	then \
		git -C $(ADVISORIES) checkout --quiet $(ADVISORIES_PIN) && $(DENY) --locked --offline check advisories; \
	else echo "advisories: not checked, their database cannot be had from here"; fi

# Without optimisation it builds in a minute; CARGO_TARGET_DIR is unset so that nothing of it stays in ours.
$(DENY):
	env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --root $(dir $(@D)) cargo-deny@$(DENY_VERSION)

test-rust:
	cargo test --locked

# One target after the other; FUZZ=csv alone, SECONDS_EACH=60 shorter.
FUZZ ?= csv expression log parquet project
SECONDS_EACH ?= 600

fuzz:
	@for target in $(FUZZ); do \
		LAKESMITH_FUZZ_SECONDS=$(SECONDS_EACH) nice cargo test --locked --test it -- --exact --nocapture fuzz::$$target; \
	done

test-readers: test-python test-engines

test-python: build $(TEST_VENV)/ready
	LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 $(TEST_VENV)/bin/python -m pytest -q -p no:cacheprovider tests/readers

# Not a part of `make test`: what it downloads the first time alone may take longer than all the rest.
test-engines: build $(ENGINES_VENV)/ready $(DELTA_JARS)/ready
	DELTA_JARS=$(DELTA_JARS) LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 \
		$(ENGINES_VENV)/bin/python -m pytest -q -p no:cacheprovider tests/engines

$(DELTA_JARS)/ready:
	@java -version >/dev/null 2>&1 && mvn -version >/dev/null 2>&1 || { echo "Java 17 and Maven are needed" >&2; exit 1; }
	mvn --quiet --batch-mode --file tests/engines/pom.xml dependency:copy-dependencies -DoutputDirectory=$(@D) \
		-DincludeScope=runtime -DincludeGroupIds=io.delta,io.unitycatalog
	@touch $@

# Each in an environment of its own, where the test of the other is left out.
test-orchestrators: build $(AIRFLOW_VENV)/ready $(DAGSTER_VENV)/ready
	for venv in $(AIRFLOW_VENV) $(DAGSTER_VENV); do \
		LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 DAGSTER_DISABLE_TELEMETRY=yes \
			$$venv/bin/python -m pytest -q -p no:cacheprovider tests/orchestrators || exit 1; \
	done

test-notebooks: build $(NOTEBOOKS_VENV)/ready
	LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 \
		$(NOTEBOOKS_VENV)/bin/python -m pytest -q -p no:cacheprovider tests/notebooks

notebooks: build $(NOTEBOOKS_VENV)/ready
	LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 $(NOTEBOOKS_VENV)/bin/python tests/notebooks/test_notebooks.py

# The page of `lakesmith docs` in a browser; without one, and where none can be had, it says so and goes on.
test-page: build $(PAGE_VENV)/ready
	@browser=$$(tests/page/browser.sh $(PAGE_VENV)/bin/python) && { [ -z "$$browser" ] || \
		BROWSER=$$browser LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 \
		$(PAGE_VENV)/bin/python -m pytest -q -p no:cacheprovider tests/page; }

# The long form of what `make test` samples: a quarter of the time for operations of the store, a quarter for system calls
# of a run, half for random work. LAKESMITH_FAULTS=all and LAKESMITH_DEATHS=all try each one, which takes hours;
# LAKESMITH_SEED takes others than the last time.
SOAK_MINUTES ?= 60
SOAK_QUARTER = $(shell echo $$(( ($(SOAK_MINUTES) + 3) / 4 )))
SOAK = LAKESMITH_BIN=$(BIN) PYTHONDONTWRITEBYTECODE=1 $(TEST_VENV)/bin/python

soak: build soak-faults soak-conflicts soak-deaths soak-work

# Jobs that are at odds, and signals, round after round.
ROUNDS ?= 50
soak-conflicts: build
	LAKESMITH_ROUNDS=$(ROUNDS) cargo test --locked --test it -- --test-threads 1 conflicts:: signals::

soak-faults:
	LAKESMITH_FAULTS=$${LAKESMITH_FAULTS:-$(SOAK_QUARTER)m} cargo test --locked --test it single_faults -- --nocapture

soak-deaths: build $(TEST_VENV)/ready
	LAKESMITH_DEATHS=$${LAKESMITH_DEATHS:-$(SOAK_QUARTER)m} \
		$(SOAK) -m pytest -q -s -p no:cacheprovider tests/readers/test_deaths.py

soak-work: build $(TEST_VENV)/ready
	$(SOAK) tests/soak/soak.py --minutes $$(( 2 * $(SOAK_QUARTER) )) $${LAKESMITH_SEED:+--seed $$LAKESMITH_SEED}

$(TEST_VENV)/ready: REQUIREMENTS = tests/requirements.txt
$(PAGE_VENV)/ready: REQUIREMENTS = tests/page/requirements.txt
$(ENGINES_VENV)/ready: REQUIREMENTS = tests/engines/requirements.txt
$(AIRFLOW_VENV)/ready: REQUIREMENTS = tests/orchestrators/airflow.txt
$(DAGSTER_VENV)/ready: REQUIREMENTS = tests/orchestrators/dagster.txt
$(NOTEBOOKS_VENV)/ready: REQUIREMENTS = notebooks/requirements.txt
$(BENCH_VENV)/ready: REQUIREMENTS = benches/requirements.txt
$(sort $(TEST_VENV)/ready $(PAGE_VENV)/ready $(ENGINES_VENV)/ready $(AIRFLOW_VENV)/ready $(DAGSTER_VENV)/ready $(NOTEBOOKS_VENV)/ready $(BENCH_VENV)/ready):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it by PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r $(REQUIREMENTS)
	@touch $@

# What is measured, in two sizes; `make bench ONLY=loads,gold` measures some parts alone.
MEASURE = $(BENCH_VENV)/bin/python benches/run.py --lakesmith $(RELEASE) --generator $(GENERATOR) \
	--folder $(LAKESMITH_CACHE)/bench
LARGE = loads,updates,gold,story

bench: bench-build
	$(MEASURE) --out target/bench.json $(if $(ONLY),--only $(ONLY))

bench-large: bench-build
	$(MEASURE) --out target/bench-large.json --scale 10 --against 1 --repeat 1 \
		--only $(or $(ONLY),$(LARGE))

bench-chart:
	$(PYTHON) benches/chart.py docs/bench.svg $(wildcard target/bench.json target/bench-large.json)

bench-instructions: bench-build
	$(BENCH_VENV)/bin/python benches/instructions.py --lakesmith $(RELEASE) --generator $(GENERATOR)

bench-build: $(BENCH_VENV)/ready
	cargo build --locked --release
	cargo build --locked --release --manifest-path benches/tpch/Cargo.toml --target-dir $(CARGO_TARGET_DIR)/tpch

sample: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python sample/generate.py

clean:
	rm -rf lake target
	cargo clean --package lakesmith
