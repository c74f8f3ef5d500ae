PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
.DEFAULT_GOAL := help
.PHONY: help run demo test test-all check fmt bench infra screenshots clean

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

run: $(READY) ## start the app on an embedded task hub: http://127.0.0.1:7071
	@$(BIN)/python -m devhost

demo: $(READY) ## play one approval, one rejection and one timeout on a fresh local host
	@$(BIN)/python -m devhost.demo

PYTEST = $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder $(TESTS)

test: $(READY) ## run the tests of every day, in about two minutes; SEED=123 repeats a run
	@$(PYTEST)

test-all: $(READY) ## run every test and the large searches, in about ten minutes; Chromium, axe-core and Bicep where they are
	@$(PYTEST) --all

check: $(READY) ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(READY) ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure against the seed's own shape; prints ratios of one run
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt -c constraints.txt
	@$(BIN)/python -m bench

infra: $(READY) ## format and lint the Bicep sources and write their snapshots anew; needs the compiler
	@$(BIN)/python -m tests.infra.bicep

screenshots: $(READY) ## take the pictures of docs/screenshots anew; needs Chromium
	@$(BIN)/python -m tests.browser.screenshots

clean: ## remove the environment and what the tools left
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .bench .local node_modules

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
