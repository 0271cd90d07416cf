# Everything starts from Python 3.11 or newer and make; the environment makes itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
URL ?= http://localhost:8000
PORT ?= 8000
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes

.PHONY: help venv dev serve check test bench lock clean
help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

venv: $(VENV)/.runtime ## make the environment that builds and serves
dev: $(VENV)/.dev ## the same with the tools that check and test

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 …")'
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/.python
	@echo "Installing what builds and serves (hash-locked) …"
	@$(BIN)/pip install $(PIP_FLAGS) -r requirements/runtime.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what checks and tests (hash-locked) …"
	@$(BIN)/pip install $(PIP_FLAGS) -r requirements/dev.txt
	@touch $@

# Amazon's DynamoDB Local, as Amplify's npm package carries it; nothing of that package is run.
DYNAMODB_LOCAL := amplify-dynamodb-simulator-2.9.30
DYNAMODB_LOCAL_SHA256 := 3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9
$(VENV)/dynamodb-local/.$(DYNAMODB_LOCAL): | $(VENV)/.python
	@echo "Fetching Amazon's DynamoDB Local, which the stores' contract is tried on …"
	@rm -rf $(VENV)/dynamodb-local && mkdir -p $(VENV)/dynamodb-local
	@cd $(VENV)/dynamodb-local && npm pack --silent amplify-dynamodb-simulator@2.9.30 > packed.log
	@cd $(VENV)/dynamodb-local && echo "$(DYNAMODB_LOCAL_SHA256)  $(DYNAMODB_LOCAL).tgz" | sha256sum --check --quiet
	@cd $(VENV)/dynamodb-local && tar -xzf $(DYNAMODB_LOCAL).tgz --strip-components=2 package/emulator && rm $(DYNAMODB_LOCAL).tgz packed.log
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	@$(BIN)/pip install $(PIP_FLAGS) -r requirements/bench.txt
	@touch $@

serve: $(VENV)/.runtime ## build the site and serve it with its desk at http://localhost:8000
	@$(BIN)/bindery build --url $(URL)
	@SUPPORT_URL=$(URL) $(BIN)/desk demo
	@SUPPORT_URL=$(URL) $(BIN)/desk serve --port $(PORT)

check: $(VENV)/.dev ## the quick checks: lint, types, import rules, fast tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -m "not slow and not browser"

test: $(VENV)/.dev $(VENV)/dynamodb-local/.$(DYNAMODB_LOCAL) ## everything, in Debian's Chromium too
	@$(BIN)/python tests/browser_present.py
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest

bench: $(VENV)/.bench ## measure builds of 1,000 and 10,000 pages, beside Material and Hugo; judge a vendor's archive; measure the desk's tickets
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.desk

lock: ## renew the lock files (needs uv)
	uv pip compile pyproject.toml --group install --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/runtime.txt
	uv pip compile pyproject.toml --group install --group dev -c requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/dev.txt
	uv pip compile pyproject.toml --group install --group dev --group bench -c requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/bench.txt

clean: ## remove what builds and tests made (not var/, the desk's state)
	rm -rf dist .bindery_cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
