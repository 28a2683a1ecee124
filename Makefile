# Everything a developer does, from a fresh clone with Python 3.11, git and make. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DOMAIN ?= all
AGENT_CONFIG ?= edge/example.yaml
STAMP := $(VENV)/.installed
STACK := $(BIN)/brain-stack
UV := $(BIN)/uv
UV_PIP := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-build-isolation

.PHONY: help setup lock jars stack-up stack-down stack-status init kafka-init ch-init topics-pipeline submit demo \
        run-ingest run-edge-kafka run-edge-http chaos-edge test test-unit check format train features-page bench logs-kafka logs-clickhouse logs-flink flink-ui clickhouse-ui clean distclean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Setting up
setup: $(STAMP) ## Create .venv with every dependency, pinned by hash

$(STAMP): requirements/bootstrap.txt requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 was not found as '$(PYTHON)'. Install it (Debian: apt install python3.11 python3.11-venv;"; \
	  echo "macOS: brew install python@3.11; anywhere: uv python install 3.11), or name it: make PYTHON=/path/to/python3.11"; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (Debian: apt install python3.11-venv)"; exit 1; }
	@echo "installing into $(VENV): the first time this downloads about 940 MB"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements/bootstrap.txt
	$(UV_PIP) --require-hashes -r requirements/lock.txt
	$(UV_PIP) --no-deps -e .
	@touch $@

lock: setup ## Resolve all dependencies anew and rewrite requirements/*.txt
	$(UV) pip compile pyproject.toml --all-extras --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file requirements/lock.txt
	printf '%s\n' "uv==$$($(UV) --version | cut -d' ' -f2)" "$$(grep -o '^setuptools==[0-9.]*' requirements/lock.txt)" \
	  | $(UV) pip compile - --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --quiet --output-file requirements/bootstrap.txt

jars: setup ## Download the pinned jars of Kafka and the Flink connector
	@$(STACK) jars

##@ The local stack
stack-up: setup ## Start Kafka, Flink, ClickHouse and the ticker
	@$(STACK) up

stack-down: setup ## Stop them; data stays in .brain
	@$(STACK) down

stack-status: setup ## Show what runs, and what is wrong
	@$(STACK) status

init: setup ## Create topics and tables
	@$(STACK) init

kafka-init: setup ## Create the topics
	@$(STACK) kafka-init

topics-pipeline: kafka-init ## The same under the name of the original system

ch-init: setup ## Create the tables (CLICKHOUSE_SCHEMA_GLOB)
	@$(STACK) ch-init

submit: setup ## Submit all Flink jobs
	@$(BIN)/brain-jobs submit all

demo: setup ## Recordings in, scores out: the whole line on this machine (DOMAIN=health|power|environment|all)
	@$(STACK) demo --domain $(DOMAIN)

run-edge-kafka: setup ## Run the example agent in the foreground, sending to Kafka (AGENT_CONFIG=edge.yaml)
	@set -a; if [ -f .brain/stack.env ]; then source .brain/stack.env; fi; \
	  BRAIN_AGENT_SEND=kafka exec $(BIN)/brain-edge run --config $(AGENT_CONFIG)

run-edge-http: setup ## The same, sending to the ingestion service (BRAIN_AGENT_HTTP__KEY)
	@BRAIN_AGENT_SEND=http exec $(BIN)/brain-edge run --config $(AGENT_CONFIG)

run-ingest: setup ## Take events over HTTP in the foreground (keys: brain-services ingestion-keys)
	@set -a; if [ -f .brain/stack.env ]; then source .brain/stack.env; fi; exec $(BIN)/brain-services ingestion

logs-kafka: setup ## Follow Kafka's log
	@$(STACK) logs kafka --follow

logs-clickhouse: setup ## Follow ClickHouse's log
	@$(STACK) logs clickhouse --follow

logs-flink: setup ## Follow the logs of JobManager and TaskManager
	@$(STACK) logs jobmanager taskmanager --follow

flink-ui: setup ## Show and open Flink's web page
	@$(STACK) open flink

clickhouse-ui: setup ## Show and open ClickHouse's query page
	@$(STACK) open clickhouse

##@ Developing
test: setup jars ## Run every test, with the real Kafka, Flink and ClickHouse on free ports
	$(BIN)/python -m pytest tests

test-unit: setup ## Run the tests that need no server
	$(BIN)/python -m pytest tests/unit tests/contract

check: setup ## Lint, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: setup ## Train the models again from the recordings (BRAIN_DATA)
	$(BIN)/python -m training.gait_parkinson
	$(BIN)/python -m training.occupancy
	$(BIN)/python -m training.appliance
	$(BIN)/python -m training.power_anomaly

features-page: setup ## Write docs/features.md from the declarations
	$(BIN)/python -m schemas.feature_page

chaos-edge: setup ## Power cuts, kills and flipped bits for the spool, hours of them: one JSON line each
	$(BIN)/python -m tests.chaos.spool_schedules --schedules 100000 --seed 1
	$(BIN)/python -m tests.chaos.spool_kills --kills 1000 --seed 1
	$(BIN)/python -m tests.chaos.spool_flips

bench: setup jars ## Measure throughput, ours beside the peers'
	$(BIN)/python -m bench

##@ Cleaning
clean: ## Remove caches and build results
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean ## Stop the stack, then remove .venv and all its data in .brain
	@if [ -x $(STACK) ]; then $(STACK) down; fi
	rm -rf $(VENV) .brain
