# make demo   set everything up, then maps, dataset, network, table and figures (in demo/)
# make test   set everything up, then every test: Python, Julia, lint, types, import contracts
# make quick  lint, types and the tests that are fast, in under three minutes: while one edits
# make lint   ruff, mypy and import-linter alone
# make docs   the pages of docs/ with their examples executed, in docs/_build/html
# make bench  the benchmarks, into docs/benchmarks.md
# make reference  the shipped networks from nothing, in reference/ (hours; resumable), docs/results.md and
#                 docs/problem-results.md
#
# PYTHON chooses the interpreter (3.11 to 3.13) of the virtual environment .venv, JOBS the number of
# processes that run the tests (three, since some wait; each needs about 2 GB, a share of the cores).
#
# quick leaves out every test that starts Julia, Dask or a browser, trains or loads a network, or
# takes more than 10 CPU seconds; tests/slow.py lists them with the reason. What is not
# listed there is quick. Julia is hidden from quick, so that a test that needs it fails until it is
# listed. The tests that are slow without Julia are a table of their own there: make test hides Julia
# from them too, and runs them while the kernel is compiled. Before a change is handed on, make test
# runs everything.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BASE   := $(VENV)/.base
READY  := $(VENV)/.ready
DEMO   := demo
REFERENCE := reference
JOBS   ?= 3
PYTEST := $(BIN)/python -m pytest -n $(JOBS)
HIDDEN := GAPSCOPE_RUNTIME=libjulia GAPSCOPE_JULIA=/hidden

# Hundreds of processes import the same modules: Python compiles each at its first import and keeps
# it, whatever the shell says. pip would compile thousands that nothing imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test without-julia quick lint docs bench reference setup julia chromium clean

setup: $(READY)

# What simulates, and so compiles the kernel; everything else is installed while it does.
$(BASE): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "gapscope needs Python 3.11 to 3.13: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	touch $@

$(READY): $(BASE)
	$(BIN)/python -m pip install --quiet --no-compile --group dev
	touch $@

julia: $(BASE)
	$(BIN)/python -m gapscope.kernel.provision

demo: setup julia
	$(BIN)/python -m gapscope.cli.demo $(DEMO)

# A browser for the test of `gapscope explore`: root on Debian gets it, others are told in the test.
chromium:
	-@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
	  || { apt-get update -q && apt-get install -y -q --no-install-recommends chromium; }

# The kernel takes minutes to compile, on one core, the first time: all that needs no Julia is
# installed and tested beside it, and gives way to it, or the kernel would be left alone at the end.
test:
	$(MAKE) --jobs=3 julia chromium without-julia
	$(PYTEST) -m julia

without-julia: lint
	$(HIDDEN) nice $(PYTEST) -m "not julia"

quick: lint
	$(HIDDEN) $(PYTEST) -m "not slow"

lint: $(READY)
	$(BIN)/ruff check python tests benchmarks
	$(BIN)/ruff format --check python tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup julia
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet docs docs/_build/html
	@echo docs/_build/html/index.html

bench: setup julia
	$(BIN)/python benchmarks/report.py

reference: setup julia
	$(BIN)/python benchmarks/reference.py $(REFERENCE)
	$(BIN)/python benchmarks/results.py --data $(REFERENCE) --runs $(REFERENCE)
	$(BIN)/python benchmarks/problems.py $(REFERENCE)

clean:
	rm -rf $(VENV) $(DEMO) build dist docs/_build
