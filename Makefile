# `make` alone prints what there is. Everything is installed into .venv of this checkout and nowhere else.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Some machines forbid Python to keep what it compiled: every process would compile the whole product anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
# One more than the machine of continuous integration has cores: tests wait for processes and clocks.
WORKERS ?= 3
PORT ?= 8000
SEEDS ?= 500
FIRST ?= 1

# The folder is part of the stamp's name: a copied or moved checkout installs itself anew.
STAMP := $(VENV)/installed$(subst /,-,$(CURDIR))

# Asked for by running it: a version manager's shim may stand in the path for a Python that is not there.
USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$name -c '$(USABLE)' >/dev/null 2>&1 && { echo $$name; break; }; done)

PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --root-user-action=ignore

SQL_FOLDERS := $(sort $(foreach file,$(wildcard */*.sql */*/*.sql),$(firstword $(subst /, ,$(file)))))
LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/basedpyright && $(BIN)/lint-imports \
	&& $(BIN)/sqlfluff lint --disable-progress-bar $(SQL_FOLDERS)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Install everything into .venv; does nothing when that is done
	@:

$(STAMP): requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14, with venv, is needed; name one with PYTHON=" >&2; exit 4; }
	@test -e $@ || { echo "Installing into $(VENV), once ..." >&2; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

.PHONY: run
run: setup ## Start everything with demo data: database, stand-in Paystack, API, worker
	@exec $(BIN)/escrow demo --port $(PORT)

.PHONY: test
test: setup ## Run what continuous integration runs: lint and every test but the long ones
	@# Both in any case, so that one run shows everything that is wrong; and both at once, lint being told last.
	@log=$$(mktemp); { $(LINT); } >$$log 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -v -n $(WORKERS) -m "not soak"; tested=$$?; \
	wait $$lint; linted=$$?; cat $$log; rm -f $$log; test $$tested -eq 0 && exit $$linted

.PHONY: lint
lint: setup ## Check style, types, the direction of imports and SQL
	@$(LINT)

.PHONY: bench
bench: setup ## Measure speed beside its yardsticks and write bench/latest.json
	@$(BIN)/python -m bench

.PHONY: simulate
simulate: setup ## Play SEEDS=500 seeds of random people, faults and crashes over the whole system, on all cores
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

.PHONY: soak
soak: setup ## Run the long fault and simulator runs
	@$(BIN)/python -m pytest -v -m soak --timeout 0
