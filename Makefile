# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo setup test test-all docs fuzz check wheels audit clean

help:            ## this list
	@grep -E '^[a-z-]+: .*## |^[a-z-]+:  *## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; point PYTHON at one: make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)

# What a user of `rainopt` needs, and the sample photograph.
$(VENV)/.user: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing rainopt into $(VENV)/ (about half a minute) ..."
	$(PIP) install -c constraints.txt -e '.[data,video,heif]'
	$(BIN)/python -m rainopt.kernels
	@touch $@

# What the tests, the type checker and the benchmarks need as well.
$(VENV)/.dev: $(VENV)/.user
	@echo "Installing the test environment into $(VENV)/ (about a minute) ..."
	$(PIP) install -c constraints.txt -e '.[data,video,heif,raw,refine,net,export,cluster,review,docs,dev]'
	@touch $@

demo: $(VENV)/.user  ## derain a sample photograph and say where the picture is
	$(BIN)/python examples/demo.py

setup: $(VENV)/.dev  ## make the environment .venv/ alone

test: $(VENV)/.dev  ## all fast tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: $(VENV)/.dev  ## the slow ones as well
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not gpu"

docs: $(VENV)/.dev  ## the documentation, its examples run, into docs/_build/
	$(BIN)/sphinx-build -q -W --keep-going -n -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "The documentation: $(CURDIR)/docs/_build/html/index.html"

# Of `make fuzz`: how long, and which inputs; a seed gives the same ones each time.
MINUTES ?= 5
SEED    ?= 0

fuzz: $(VENV)/.dev  ## attack all readers, functions and commands: make fuzz MINUTES=5 SEED=0
	$(BIN)/python -m benchmarks.robustness.fuzz --minutes $(MINUTES) --seed $(SEED)

check: $(VENV)/.dev  ## lint, format, types, and the plan of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

wheels: $(VENV)/.dev  ## build, install and use the distribution with each extra (slow)
	$(BIN)/python -m pytest -m slow tests/packaging

audit: $(VENV)/.dev  ## ask the registry whether the pinned versions have known weaknesses
	$(PIP) install -q pip-audit
	$(BIN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

clean:           ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis demo fuzz-failures docs/_build docs/gallery docs/reference/generated
