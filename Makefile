# `make book` and `make test` do all the set-up that they need.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PORT ?= 8000

.PHONY: book serve test bench results clean

book: .venv/ready
	$(BIN)/jupyter-book build . -W -n --keep-going -q
	@echo "Open $(CURDIR)/_build/html/index.html"

serve: book
	$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 $(PORT)

test: .venv/ready-to-test book
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

# Results on real data that chapters quote; needs MovieLens on this machine, and commits nothing of it.
results: .venv/ready
	$(BIN)/python book/results/make_results.py

bench: .venv/ready-to-test
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# What was built, and caches; the environment in .venv stays.
clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.venv/ready: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "This book needs Python 3.11, 3.12 or 3.13. Install one, or name it: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

.venv/ready-to-test: .venv/ready
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@
