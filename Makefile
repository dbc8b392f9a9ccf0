# `make` shows what there is. Needs make and Python 3.11 or newer; everything else comes by itself.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$each >/dev/null 2>&1 && $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$each; break; }; done)
BIN := .venv/bin
RUN_STAMP := .venv/.installed-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
DEV_STAMP := .venv/.installed-dev-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --no-strip-extras

.PHONY: help run test faults check bench lock

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUN_STAMP) ## start everything; PORT, DATABASE_URL, BROKER_URL, REDIS_URL choose otherwise
	@exec $(BIN)/python manage.py up

test: $(DEV_STAMP) ## the tests that take minutes
	@$(BIN)/python -m tests.browser.provision
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not faults" $(ARGS)

faults: $(DEV_STAMP) ## the long tests: processes killed, services taken away, crowds, fuzzing, other people's programs
	$(BIN)/python -m pytest -m faults $(ARGS)

check: $(DEV_STAMP) ## style, types, import contracts, missing migrations, production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	PYTHONPATH=platform:. $(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m tests.config.production check --deploy --fail-level WARNING
	@timeout 60 $(BIN)/pip-audit --requirement requirements.txt --requirement requirements-extras.txt --disable-pip --progress-spinner off \
		|| echo "pip-audit: see above; without a network this proves nothing, so it fails nothing."

bench: $(DEV_STAMP) ## measure what is claimed about speed
	$(BIN)/python -m bench $(ARGS)

lock: $(DEV_STAMP) ## pin the newest versions that requirements*.in allow
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-extras.in -o requirements-extras.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(LOCK) requirements-bench.in -o requirements-bench.txt

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module was not found (Debian: apt install python3-venv)."; \
		echo "Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN_STAMP): | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@
