# The two commands: `make demo` (the whole line, once, on this machine) and `make test` (the suite).  `make help` lists the rest.
# Needs git, make and Python >= 3.11.  Everything else is brought into this folder: .tools (uv), .venv, .envs, node_modules.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# Bytecode is kept (in folders that git ignores): without it every process compiles what it imports, 2 s for XGBoost alone.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-browser check bench interop locks clean setup envs lint coverage reference form screenshots

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(BIN)/.ready: .tools/bin/uv locks/dev.txt pyproject.toml
	@echo "setting up .venv"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python locks/dev.txt
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@

setup: $(BIN)/.ready ## Make the development environment from its lock.

demo: setup ## Form to served prediction through every station (KEEP=1 leaves it running).
	@$(BIN)/mlops demo $(if $(KEEP),--keep,)

test: setup ## The suite, Python only.
	@bash tests/suite.sh $(ARGS)

lint: setup
	@$(BIN)/ruff check mlops_core tests benchmarks actions docs
	@$(BIN)/python -m mypy

test-browser: setup
	@$(BIN)/python -m pytest -q -m "browser or node" $(ARGS)

check: lint test test-browser ## Suite, linters and browser tests.

bench: setup ## Measure against peers and bars (long; see benchmarks/README.md).
	@$(BIN)/python -m benchmarks $(ARGS)

interop: setup ## Drive the local SageMaker with the AWS CLI and the SageMaker SDK.
	@bash tests/interop/run.sh

coverage: setup ## Lines covered, Lambda and container processes counted.
	@bash tests/coverage.sh

form: setup ## Write the issue form from the request contract.
	@$(BIN)/python -m mlops_core.intake.form

reference: setup ## Write the reference pages from the code.
	@$(BIN)/python -m docs.generate

screenshots: setup ## Renew the pictures in docs/ from a real run.
	@$(BIN)/python -m tests.browser.screenshots $(if $(DATA),--data $(DATA),) $(ARGS)

locks: .tools/bin/uv ## Resolve every lock anew (needs the network).
	@for name in agent server actions serve; do \
	  $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make locks" \
	    --extra $$name pyproject.toml -o locks/$$name.txt; done
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make locks" \
	    --extra work --extra quality pyproject.toml -o locks/work.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make locks" \
	    --extra local --extra work --extra serve --group dev pyproject.toml -o locks/dev.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make locks" \
	    locks/ministack.in -o locks/ministack.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --custom-compile-command "make locks" \
	    locks/build.in -o locks/build.txt
	@cp locks/serve.txt mlops_core/serving/requirements.txt

clean: ## Remove what was brought into this folder.
	@rm -rf .tools $(VENV) .envs node_modules build
