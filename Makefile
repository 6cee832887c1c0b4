# Everything runs from .venv, filled from locked requirements; a second run reuses it.
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
CODE := functions layers/bucketwise local examples bench tests

# Lambda's Python: SAM builds with the first python3.13 on PATH, which must have pip.
LAMBDA_PYTHON ?= $(shell for p in python3.13 $$HOME/.pyenv/versions/3.13.*/bin/python3.13; do \
    "$$p" -m pip --version >/dev/null 2>&1 && { "$$p" -c 'import sys; print(sys.executable)'; break; }; done)
SAM := .venv-sam/bin/sam
ARCHITECTURES := arm64 x86_64
BUILD := .aws-sam

.PHONY: demo dev test check audit bench estimate lint lock clean build build-here invoke api deploy reindex cloud-check formats

demo: .venv/.demo  ## Index the example documents, ask, change, ask again. No account, key or Docker.
	@$(BIN)/python -m local.demo

dev: .venv/.demo  ## The same stack, staying up: drop files, ask over HTTP. State is kept in .bucketwise/.
	@$(BIN)/python -m local.dev

# Files in their order, in which those that take long come first: with the largest first, a single test is left at the end.
# One process more than there are processors, as tests also wait: for time limits, and for what they start.
TEST_PROCESSES = $(shell $(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
test: .venv/.test .venv-sam/.filled  ## All tests, on real PostgreSQL and real HTTP.
	LAMBDA_PYTHON=$(LAMBDA_PYTHON) $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

lint: .venv/.test
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy

audit: .venv/.test .venv-sam/.filled .venv-audit/.filled  ## The template by checkov, the locked packages by pip-audit.
	@$(BIN)/python -m tests.audit

# What needs no other comes at the same time, once the environments are there.
check: .venv/.test .venv-sam/.filled .venv-audit/.filled .aws-sam/runtime/.filled  ## What CI runs. The tests of what was built come with the others.
	$(MAKE) --jobs 2 lint build audit
	$(MAKE) test

bench: .venv/.test  ## A corpus in BEIR form: make bench BEIR=folder
	@test -n "$(BEIR)" || { echo "name a folder: make bench BEIR=path/to/corpus"; exit 1; }
	$(BIN)/python -m bench.retrieval --beir $(BEIR)

estimate: .venv/.demo  ## What indexing would cost, before paying: make estimate DIR=folder, or BUCKET=name and PREFIX=of/keys/
	@test -n "$(DIR)$(BUCKET)" || { echo "name a folder or a bucket: make estimate DIR=path/to/folder"; exit 1; }
	@$(BIN)/python -m local.estimate \
	    $(if $(DIR),--dir "$(DIR)",--bucket "$(BUCKET)" $(if $(PREFIX),--prefix "$(PREFIX)"))

reindex: .venv/.demo  ## A deployed index over to another embedding model: make reindex STACK=name MODEL=model DIMENSIONS=n, or STACK=name DROP=1
	@test -n "$(STACK)" || { echo "name a stack: make reindex STACK=name MODEL=text-embedding-3-large DIMENSIONS=3072"; exit 1; }
	@$(BIN)/python -m local.reindex --stack "$(STACK)" \
	    $(if $(DROP),--drop,--model "$(MODEL)" --dimensions "$(DIMENSIONS)")

# A token of the environment that belongs to something else is not sent: it has to be given to make, or by its full name.
cloud-check: export BUCKETWISE_TOKEN ?= $(if $(filter command,$(origin TOKEN)),$(TOKEN))
cloud-check: .venv/.demo  ## Whether a deployed stack does what it should, with one document: make cloud-check STACK=name, and PREFIX=of/keys/ or TOKEN=jwt
	@test -n "$(STACK)" || { echo "name a stack: make cloud-check STACK=bucketwise"; exit 1; }
	@$(BIN)/python -m local.cloud_check --stack "$(STACK)" $(if $(PREFIX),--prefix "$(PREFIX)")

build: .venv/.test .venv-sam/.filled .aws-sam/runtime/.filled  ## What `sam deploy` uploads, for both architectures, with bytecode.
	@for architecture in $(ARCHITECTURES); do \
	    PATH="$(dir $(LAMBDA_PYTHON)):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM) build \
	        --build-dir $(BUILD)/$$architecture --cache-dir $(BUILD)/cache-$$architecture \
	        --parameter-overrides Architecture=$$architecture > $(BUILD)-$$architecture.log 2>&1 \
	        || { cat $(BUILD)-$$architecture.log; exit 1; }; \
	    rm $(BUILD)-$$architecture.log; \
	    $(BIN)/python -m local.built --python $(LAMBDA_PYTHON) $(BUILD)/$$architecture || exit 1; \
	done

# CONFIG=offline takes the image local/lambda-python:3.13 instead of AWS's own.
CONFIG ?= default
PORT ?= 3000
HOST_ARCHITECTURE := $(subst aarch64,arm64,$(shell uname -m))

build-here:
	@$(MAKE) --no-print-directory build ARCHITECTURES=$(HOST_ARCHITECTURE)

invoke: .venv/.demo build-here  ## The events in EVENTS (all if empty) through `sam local invoke`, on the twin's services.
	$(BIN)/python -m local.sam invoke $(EVENTS) --template $(BUILD)/$(HOST_ARCHITECTURE)/template.yaml --config-env $(CONFIG)

api: .venv/.demo build-here  ## `sam local start-api` on the twin's services, with `make api PORT=3000`.
	$(BIN)/python -m local.sam api --port $(PORT) --template $(BUILD)/$(HOST_ARCHITECTURE)/template.yaml --config-env $(CONFIG)

# What is asked for is checked before anything is built. PARAMETERS goes through the environment: there may be quotes in it.
DEPLOY = $(BIN)/python -m local.deploy --sam $(SAM) --template-file $(BUILD)/arm64/template.yaml --stack "$(STACK)" \
    $(if $(CALLERS),--callers "$(CALLERS)") $(if $(PARAMETERS),--parameters "$$PARAMETERS")
deploy: STACK ?= bucketwise
deploy: .venv/.demo .venv-sam/.filled  ## Makes the stack, by `sam deploy --guided`, or upgrades it as it is: make deploy, and STACK=name, CALLERS=file, PARAMETERS="Name=value ..."
	@$(DEPLOY) --check
	$(MAKE) build ARCHITECTURES=arm64
	@$(DEPLOY)

formats: .venv/.demo  ## The README's table of the kinds of files that can be read.
	@$(BIN)/python -m local.formats

lock: .venv/.uv  ## Resolve the locked requirements anew, from the requirements.in files.
	for folder in layers/dependencies layers/parsers layers/authorizer local tests tests/sam tests/emulator tests/audit bench/peers; do \
	    (cd $$folder && $(CURDIR)/$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	        $(UPGRADE) requirements.in -o requirements.txt) || exit 1; \
	done

clean:
	rm -rf .venv .venv-sam .venv-audit .aws-sam .bucketwise .mypy_cache .ruff_cache .pytest_cache .hypothesis

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

.venv-audit/.filled: .venv/.uv tests/audit/requirements.txt
	$(PYTHON) -m venv .venv-audit
	$(BIN)/uv pip install --quiet --python .venv-audit/bin/python --require-hashes -r tests/audit/requirements.txt
	@touch $@

# The runtime client, for the tests of what was built.
.aws-sam/runtime/.filled: .venv/.uv tests/emulator/requirements.txt
	@test -n "$(LAMBDA_PYTHON)" \
	    || { echo "sam build needs a python3.13 with pip on PATH (Lambda's runtime); name one with: make LAMBDA_PYTHON=..."; exit 1; }
	$(BIN)/uv pip install --quiet --python $(LAMBDA_PYTHON) --target .aws-sam/runtime --require-hashes \
	    -r tests/emulator/requirements.txt
	@touch $@

.venv/.test: .venv/.uv tests/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/requirements.txt
	@touch $@
