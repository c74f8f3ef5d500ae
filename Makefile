VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs# what running needs is installed
READY := $(VENV)/.ready# what tests and tools need, too
PORT ?= 7071
WORKERS ?= 1# the app in a process of its own, as in Azure; 0: in the host's, where a debugger finds it
.DEFAULT_GOAL := help
.PHONY: help run demo test test-all check verify fmt bench bench-restate plots infra lock openapi sentences screenshots clean

# PYTHON=/path/to/python takes that one; otherwise the first of these that is here and of a version we know
PYTHONS = $(or $(PYTHON),python3.11 python3.12 python3)
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
TESTED = import sys; sys.exit(sys.version_info >= (3, 12))

# installs a requirements file, and names what it fetches; with uv where it is here
define install
@if command -v uv >/dev/null; then uv pip install --python $(BIN)/python -r $(1) -c constraints.txt; \
else { $(BIN)/python -m pip install --disable-pip-version-check -r $(1) -c constraints.txt && echo Done; } | { \
	done=; while read -r word name rest; do case "$$word" in \
		Collecting) printf ' %s' "$${name%%[<>=!~;([]*}" ;; \
		Installing) printf '\n  unpacking them ...\n' ;; \
		Done) done=yes ;; \
	esac; done; [ -n "$$done" ]; }; fi
endef

$(BIN)/pip:
	@python=; for each in $(PYTHONS); do if "$$each" -c '$(FITS)' 2>/dev/null; then python=$$each; break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or 3.12 is needed, and not found. Say where it is: make PYTHON=/path/to/python3.11 run"; exit 1; fi; \
	echo "Making an environment in $(VENV), with $$("$$python" --version) ..."; \
	"$$python" -c '$(TESTED)' || echo "  (Tested with 3.11 only; this version is unverified.)"; \
	"$$python" -m venv $(VENV)

$(RUNS): requirements.txt requirements-local.txt constraints.txt | $(BIN)/pip
	@echo "Installing what running needs, about 120 MB; once, some 20 seconds and the time to fetch it ..."
	$(call install,requirements-local.txt)
	@touch $@

$(READY): requirements.txt requirements-local.txt requirements-dev.txt constraints.txt | $(BIN)/pip
	@echo "Installing what tests and tools need, about 500 MB; once, a minute or two ..."
	$(call install,requirements-dev.txt)
	@touch $(RUNS) $@

run: $(RUNS) ## start the app on this machine: http://127.0.0.1:7071, or PORT=7072; WORKERS=0 for a debugger
	@$(BIN)/python -m devhost --port $(PORT) --workers $(WORKERS)

demo: $(RUNS) ## show what people see: the mail, the page, the caller's answers
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

export URL KEY CALLER_KEY CALLBACK
verify: $(RUNS) ## show what can be shown of a deployed app: URL=https://… KEY=…; see docs/unverified.md
	@$(BIN)/python -m verify

fmt: $(READY) ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure against the sample as a function app and the seed's own shape; prints ratios of one run
	@$(BIN)/python -m bench

bench-restate: $(READY) ## the same with Restate beside them, which this installs into bench/restate (some 300 MB; needs npm)
	@test -x bench/restate/.venv/bin/python || $(BIN)/python -m venv bench/restate/.venv
	@bench/restate/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r bench/restate/requirements.txt
	@npm install --prefix bench/restate --silent --no-package-lock --ignore-scripts
	@$(BIN)/python -m bench --restate

plots: $(READY) ## measure what grows, with 20,000 pending requests at most, and draw it into docs/growth.svg
	@$(BIN)/python -m bench.growth --plots

infra: $(READY) ## format and lint the Bicep sources and write their snapshots anew; needs the compiler
	@$(BIN)/python -m tests.infra.bicep

lock: $(READY) ## write requirements.txt anew: requirements.in and all that it brings, in the versions of constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command "make lock" \
		--constraints constraints.txt --output-file requirements.txt requirements.in

openapi: $(READY) ## write the description of the API anew, and the connector's
	@$(BIN)/python -m openapi

sentences: $(READY) ## collect the sentences that people read, and put those that are new into every catalogue
	@$(BIN)/python -m tests.sentences

screenshots: $(READY) ## take the pictures of docs/screenshots anew, or every page: ALL=folder; needs Chromium
	@$(BIN)/python -m tests.browser.screenshots $(ALL)
	@PYTHONPATH=clients/python $(BIN)/python -m tests.clients.pictures

clean: ## remove the environment and what the tools left
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .bench .local node_modules

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
