# `make book` and `make test` do everything on a machine with Python 3.11 or later, git and make.
PYTHON ?= python3
CORES ?= all
PROFILE ?= quick
BIN := .venv/bin
# The tools that look after requirements.lock; nothing else needs them.
TOOLS := _build/tools
UV := uv==0.13.9
PIP_AUDIT := pip-audit==2.10.1

# DATA=folder shows the build real data; without it every chapter runs on synthetic faces.
ifdef DATA
# Not $(abspath): it takes a folder with a space in its name for two.
export FERBOOK_DATA := $(shell $(PYTHON) -c 'import os, sys; print(os.path.abspath(sys.argv[1]))' '$(subst ','\'',$(DATA))')
endif
export FERBOOK_CACHE ?= $(abspath _build/cache)
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# The set-up compiles no modules; where Python may not keep what it compiles either, each page spends 10 s on it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup book notebooks compare runs test faults bench lint reference lock audit clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## make .venv as requirements.lock says, nothing when nothing changed; CUDA=1 or 0: with or without GPU packages
	@$(PYTHON) set_up.py --cuda=$(filter 0 1,$(CUDA))

book: setup ## run the chapters that changed and render the site; DATA=folder for real data, PROFILE=paper for full runs
	$(BIN)/snakemake --cores $(CORES) --scheduler greedy --quiet all --rerun-incomplete --max-checksum-file-size 0 --config profile=$(PROFILE)
	@echo "The book is at _build/site/_build/html/index.html"

notebooks: book ## the executed notebooks as they are published, in _build/notebooks; .ci/publish puts them on a branch
	$(BIN)/python -m ferbook.book.publishing _build/site _build/notebooks _config.yml _toc.yml

compare: book ## what this build says otherwise than another one: LAST=folder of its executed notebooks
	$(BIN)/python -m ferbook.book.comparing '$(LAST)' _build/site/book

runs: setup ## train what a sweep still lacks, each run a notebook: SWEEP=002 [GROUP=nhot] DATA=folder
	$(BIN)/snakemake runs --cores $(CORES) --quiet rules --rerun-incomplete --config sweep=$(SWEEP) $(if $(GROUP),group=$(GROUP))

test: book lint ## all tests, on the rendered book too, on up to four cores
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

faults: setup ## kill every command 25 times in all, fill disks, start things twice, change files: about half an hour
	FERBOOK_FAULTS=long $(BIN)/python -m pytest tests/faults -rA

bench: setup ## measure speed and memory, printed and written to _build/bench (DATA=folder: loading on FER+)
	$(BIN)/ferbook bench

lint: setup ## ruff, formatting included; which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

reference: setup ## run tests/reference/*.py again and store their outputs, after looking at what changed
	$(BIN)/python tests/reference/make.py

lock: ## resolve requirements.txt into requirements.lock; UPGRADE=1 also takes newer versions of what it pulls in
	$(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
# The direct needs override what packages ask of each other: facenet-pytorch's metadata wants a torch of 2023.
	$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) \
		--override requirements.txt --custom-compile-command "make lock" -o requirements.lock requirements.txt

audit: ## ask for known vulnerabilities of what requirements.lock names (needs the JSON interface of the package index)
	$(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_AUDIT)
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean: ## remove what was built, not the virtual environment
	rm -rf _build .snakemake
