# Everything runs from .venv, filled from locked requirements; a second run reuses it.
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
CODE := functions layers/bucketwise local examples bench tests

.PHONY: demo dev test check bench lint lock clean

demo: .venv/.demo  ## Index the example documents, ask, change, ask again. No account, key or Docker.
	@$(BIN)/python -m local.demo

dev: .venv/.demo  ## The same stack, staying up: drop files, ask over HTTP. State is kept in .bucketwise/.
	@$(BIN)/python -m local.dev

test: .venv/.test  ## All tests, on real PostgreSQL and real HTTP.
	$(BIN)/python -m pytest

lint: .venv/.test
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy

check: lint test  ## What CI runs.

bench: .venv/.test  ## A corpus in BEIR form: make bench BEIR=folder
	$(BIN)/python -m bench.retrieval --beir $(BEIR)

lock: .venv/.uv  ## Resolve the locked requirements anew, from the requirements.in files.
	for folder in layers/dependencies layers/parsers local tests tests/sam; do \
	    (cd $$folder && $(CURDIR)/$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	        $(UPGRADE) requirements.in -o requirements.txt) || exit 1; \
	done

clean:
	rm -rf .venv .venv-sam .aws-sam .bucketwise .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Bucketwise needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.demo: .venv/.uv local/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r local/requirements.txt
	@touch $@

.venv-sam/.filled: .venv/.uv tests/sam/requirements.txt
	$(PYTHON) -m venv .venv-sam
	$(BIN)/uv pip install --quiet --python .venv-sam/bin/python --require-hashes -r tests/sam/requirements.txt
	@touch $@

.venv/.test: .venv/.uv tests/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/requirements.txt
	@touch $@
