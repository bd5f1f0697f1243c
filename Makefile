# Each target does all of its own set-up: `make demo` and `make test` work on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The versions to install: those that are tested, or `make lowest.txt` and then CONSTRAINTS=lowest.txt.
CONSTRAINTS ?= constraints.txt
# Tests share two cores between two processes; more threads would only wait for one another.
TEST_ENV := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
# In the order of the files, so that the long integration tests come first and nobody waits for the last of them.
TWO_AT_A_TIME := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: install demo check test test-all clean

install: $(READY)

$(READY): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "moodline needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[dev]'
	touch $(READY)

demo: install
	$(BIN)/moodline demo demo

check: install
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary

test: check
	$(TEST_ENV) $(BIN)/pytest $(TWO_AT_A_TIME)

test-all: check
	$(TEST_ENV) $(BIN)/pytest $(TWO_AT_A_TIME) -m 'slow or not slow'

# The lowest versions of the direct dependencies that pyproject.toml allows.
lowest.txt: pyproject.toml
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --quiet --resolution lowest-direct --extra dev --no-header --no-annotate --output-file $@ pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache lowest.txt
