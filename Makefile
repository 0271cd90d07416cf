# Everything starts from Python 3.11 or newer and make; the environment makes itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
URL ?= http://localhost:8000
PORT ?= 8000
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes

.PHONY: help venv dev serve check test bench package lock clean
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

# What is fetched from npm is unpacked and hash-checked; nothing of it is installed or run by npm.
#   $(call fetched,folder,package@version,file name,sha256,what to take from it)
define fetched
@rm -rf $(VENV)/$(1) && mkdir -p $(VENV)/$(1)
@cd $(VENV)/$(1) && npm pack --silent $(2) > packed.log && echo "$(4)  $(3)" | sha256sum --check --quiet
@cd $(VENV)/$(1) && tar -xzf $(3) $(5) && rm $(3) packed.log
endef

# Amazon's DynamoDB Local, as Amplify's npm package carries it.
DYNAMODB_LOCAL := amplify-dynamodb-simulator-2.9.30
$(VENV)/dynamodb-local/.$(DYNAMODB_LOCAL): | $(VENV)/.python
	@echo "Fetching Amazon's DynamoDB Local, which the stores' contract is tried on …"
	$(call fetched,dynamodb-local,amplify-dynamodb-simulator@2.9.30,$(DYNAMODB_LOCAL).tgz,3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9,--strip-components=2 package/emulator)
	@touch $@

# axe judges whether pages can be used by everybody; its licence (MPL) lets it be run, and none of it is published.
AXE := axe-core-4.14.1
$(VENV)/axe/.$(AXE): | $(VENV)/.python
	@echo "Fetching axe, which judges the pages …"
	$(call fetched,axe,axe-core@4.14.1,$(AXE).tgz,e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745,--strip-components=1 package/axe.min.js)
	@touch $@

# The Nu HTML checker, by those who keep the standard.
NU := vnu-jar-26.9.27
$(VENV)/nu/.$(NU): | $(VENV)/.python
	@echo "Fetching the Nu HTML checker …"
	$(call fetched,nu,vnu-jar@26.9.27,$(NU).tgz,5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7,--strip-components=3 package/build/dist/vnu.jar)
	@touch $@

# Lighthouse, which the bench asks; its lock file carries versions and hashes.
$(VENV)/.lighthouse: bench/peers/lighthouse/package.json bench/peers/lighthouse/package-lock.json | $(VENV)/.python
	@echo "Fetching Lighthouse, which judges pages in the bench …"
	@rm -rf $(VENV)/lighthouse && mkdir -p $(VENV)/lighthouse && cp bench/peers/lighthouse/*.json $(VENV)/lighthouse/
	@cd $(VENV)/lighthouse && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

JUDGES := $(VENV)/dynamodb-local/.$(DYNAMODB_LOCAL) $(VENV)/axe/.$(AXE) $(VENV)/nu/.$(NU)

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	@$(BIN)/pip install $(PIP_FLAGS) -r requirements/bench.txt
	@touch $@

serve: $(VENV)/.runtime ## build the site and serve it with its desk at http://localhost:8000
	@$(BIN)/bindery build --url $(URL)
	@SUPPORT_URL=$(URL) $(BIN)/desk demo
	@SUPPORT_URL=$(URL) $(BIN)/desk serve --port $(PORT)

# A worker for each core; more than eight would need more memory than they save time.
PYTEST := $(BIN)/pytest -n auto --maxprocesses=8

check: $(VENV)/.dev ## the quick checks: lint, types, import rules, fast tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST) -q -m "not slow and not browser" --hypothesis-profile=quick

test: $(VENV)/.dev $(JUDGES) ## everything, in Debian's Chromium too
	@$(BIN)/python tests/browser_present.py
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST)

bench: $(VENV)/.bench $(VENV)/.lighthouse $(VENV)/dynamodb-local/.$(DYNAMODB_LOCAL) ## measure builds of 1,000 and 10,000 pages, beside Material and Hugo; judge a vendor's archive; measure tickets, newsletter, cold start, and what a reader loads
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.desk
	@$(BIN)/python -m bench.newsletter
	@$(BIN)/python -m bench.cold
	@$(BIN)/python -m bench.reader

package: $(VENV)/.runtime ## what AWS is given: the functions as one archive and their template, in dist/aws
	@$(BIN)/desk package dist/aws

lock: ## renew the lock files (needs uv)
	uv pip compile pyproject.toml --group install --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/runtime.txt
	uv pip compile pyproject.toml --group install --group dev -c requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/dev.txt
	uv pip compile pyproject.toml --group install --group dev --group bench -c requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/bench.txt
	uv pip compile --group lambda -c requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/lambda.txt

clean: ## remove what builds and tests made (not var/, the desk's state)
	rm -rf dist .bindery_cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
