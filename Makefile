# `make book` and `make test` do all the set-up that they need.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PORT ?= 8000
COURSE ?= assignments/course

# On Python 3.11 lightfm-next is compiled here: without flags that tie it, and its last digits, to this processor.
export LIGHTFM_NO_CFLAGS = 1

# How many tests run at the same time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
# The tests of a file stay in one process, so that what they share is made once; long files begin.
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder

.PHONY: book serve test test-slow test-all new page bench assignments grade results zip pdf site linkcheck clean

book: .venv/ready
	$(BIN)/jupyter-book build . -W -n --keep-going -q
	@echo "Open $(CURDIR)/_build/html/index.html"

serve: book
	$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 $(PORT)

test: .venv/ready-to-test book
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) -m "not slow"

# What is slow and rare, and nothing else; `make test-all` is both.
test-slow: .venv/ready-to-test book
	$(PYTEST) -m slow

test-all: test test-slow

# Begins a chapter with its widget and tests: make new SLUG=two_tower PART="From features"
PART ?= Using vectors
new: .venv/ready-to-test
	@test -n "$(SLUG)" || { echo "Say what it is called: make new SLUG=two_tower"; exit 1; }
	$(BIN)/python book/new/make_new.py "$(SLUG)" --part "$(PART)"
	$(BIN)/ruff check --quiet --fix utils/widgets && $(BIN)/ruff format --quiet utils/widgets

# Builds one chapter alone and runs its tests.
page: .venv/ready-to-test
	@test -n "$(SLUG)" || { echo "Say which: make page SLUG=als"; exit 1; }
	$(BIN)/python book/new/make_page.py "$(SLUG)"

# Results that chapters quote, all or those in RESULTS; most need MovieLens on this machine, and commit nothing of it.
results: .venv/ready
	$(BIN)/python book/results/make_results.py $(RESULTS)

bench: .venv/ready-to-test book
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# What students and teachers get, and the gradebook, in $(COURSE), which `make clean` leaves alone.
assignments: .venv/ready-to-teach
	$(BIN)/python -W ignore -m assignments.tools release --course "$(COURSE)"

# Marks SUBMISSIONS/<student>/<assignment>.ipynb; OPTIONS="--help" shows what else there is to say.
grade: .venv/ready-to-teach
	@test -n "$(SUBMISSIONS)" || { echo "Say where the notebooks are: make grade SUBMISSIONS=folder"; exit 1; }
	$(BIN)/python -W ignore -m assignments.tools grade "$(SUBMISSIONS)" --course "$(COURSE)" $(OPTIONS)

# The whole book as one file, in _build/downloads: to open from a disk, and to print.
zip: book
	$(BIN)/python book/downloads/make_zip.py
	@ls -sh _build/downloads/*.zip

pdf: .venv/ready-to-test book
	$(BIN)/python book/downloads/make_pdf.py
	@ls -sh _build/downloads/*.pdf

# The book as it is published: with both downloads, and the links to them on the front page.
site: zip pdf
	BOOK_DOWNLOADS=_build/downloads $(BIN)/jupyter-book build . -W -n --keep-going -q

# Asks every site that the book links to; needs a network. Its lists would land in the built book.
linkcheck: .venv/ready
	$(BIN)/jupyter-book build . --builder linkcheck --keep-going -q; \
	status=$$?; rm -f _build/html/output.txt _build/html/output.json; exit $$status

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
	$(BIN)/pip install --quiet --editable '.[test,class]'
	touch $@

.venv/ready-to-teach: .venv/ready
	$(BIN)/pip install --quiet --editable '.[class]'
	touch $@
