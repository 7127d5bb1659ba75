# `make book` and `make test` do everything on a machine with Python 3.11 or later, git and make.
PYTHON ?= python3
CORES ?= all
PROFILE ?= quick
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up

# DATA=folder shows the build real data; without it every chapter runs on synthetic faces.
ifdef DATA
# Not $(abspath): it takes a folder with a space in its name for two.
export FERBOOK_DATA := $(shell $(PYTHON) -c 'import os, sys; print(os.path.abspath(sys.argv[1]))' '$(DATA)')
endif
export FERBOOK_CACHE ?= $(abspath _build/cache)
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: help setup book runs test bench lint reference clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv and install what is needed; nothing when nothing changed

$(STAMP): requirements.txt requirements-nodeps.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-nodeps.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

book: setup ## run the chapters that changed and render the site; DATA=folder for real data, PROFILE=paper for full runs
	$(BIN)/snakemake --cores $(CORES) --quiet all --max-checksum-file-size 0 --config profile=$(PROFILE)
	@echo "The book is at _build/site/_build/html/index.html"

runs: setup ## train what a sweep still lacks, each run a notebook: SWEEP=002 [GROUP=nhot] DATA=folder
	$(BIN)/snakemake runs --cores $(CORES) --quiet rules --config sweep=$(SWEEP) $(if $(GROUP),group=$(GROUP))

test: book lint ## all tests, on the rendered book too
	$(BIN)/python -m pytest

bench: setup ## measure speed and memory, printed and written to _build/bench (DATA=folder: loading on FER+)
	$(BIN)/ferbook bench

lint: setup ## ruff, formatting included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

reference: setup ## run tests/reference/*.py again and store their outputs, after looking at what changed
	$(BIN)/python tests/reference/make.py

clean: ## remove what was built, not the virtual environment
	rm -rf _build .snakemake
