# The ways in. Each sets itself up first; a second run of the same target skips what is done.
SHELL := /bin/bash
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export YUNHE_HOME ?= $(CURDIR)/var
export PYTHONUTF8 := 1
# Every process would compile a thousand modules anew (2 s of the processor) where a shell forbids to keep them.
export PYTHONDONTWRITEBYTECODE :=
JOBS ?= 2
PEOPLE ?= 2000

.DEFAULT_GOAL := help
.PHONY: help setup assets demo test soak bench lint format docs clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the locked dependencies
	@./scripts/setup.sh

assets: setup ## build style sheet, scripts and icons (skips when nothing changed)
	@$(PY) -m yunhe.ui.build

demo: setup assets ## a node with a small generated city, running; addresses and passwords are printed
	@$(PY) -m yunhe.cli.main demo --people $(PEOPLE) --up

test: ## set up and pass everything, small fixed counts, at most 15 minutes on 2 cores
	@./scripts/setup.sh --system
	@$(PY) -m yunhe.ui.build
	@$(PY) -m pytest -n $(JOBS) --randomly-seed=20240917 $(ARGS)

soak: setup assets ## fault, matrix and property tests with their full counts; resumes (state in .soak/)
	@$(PY) scripts/soak.py $(ARGS)

bench: setup ## run every bench against its peer; one JSON line each
	@for name in $$(ls bench/*.py | xargs -n1 basename | sed 's/\.py$$//' | grep -v '^_'); do \
		echo "bench.$$name" >&2; $(PY) -m bench.$$name --json $(ARGS) || exit 1; done

lint: setup ## ruff, import-linter, mypy: what pre-commit runs
	@.venv/bin/ruff check .
	@PYTHONPATH=src .venv/bin/lint-imports
	@.venv/bin/mypy

format: setup ## let ruff mend what it can
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

docs: setup ## write the generated reference pages anew
	@$(PY) -m yunhe.settings.reference > .docs.new && mv .docs.new docs/settings.md
	@$(PY) scripts/errors_reference.py > .docs.new && mv .docs.new docs/errors.md

clean: ## remove what was built (never the node's home)
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis src/yunhe/ui/static/build
