# Everything a newcomer types. Needs python3 (3.11 or newer, with venv) and make; the rest is set up in .venv.
# Once .venv is made, nothing here uses the network, but for `make test-full` (its own packages, once) and `make pins`.

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo chaos test test-full test-long lint format pins frame gallery compat
.SILENT:

help:
	echo "make demo       make a film through the API and save it as demo.mp4"
	echo "make test       style, types, import contract and the test suite"
	echo "make test-full  the longer tests, and those that need a heavier installation"
	echo "make test-long  all cases of what the others show with fewer (not run by the CI)"
	echo "make chaos      break servers and workers 500 times on each database"
	echo "make lint       the checks of make test without the tests"
	echo "make format     format the code and mend what can be mended"
	echo "make pins       renew requirements/*.txt (uses the network)"
	echo "make frame      renew the picture of the README"
	echo "make gallery    renew docs/gallery.md and its pictures, and the sheet of nouns"
	echo "make compat     renew docs/reference/compatibility.md and models.md"

demo: .venv/dev.stamp
	$(BIN)/python scripts/demo.py

test: lint
	$(PYTEST) -q -m "not full and not long" -n $(WORKERS) --dist worksteal

test-full: .venv/full.stamp
	$(PYTEST) -q -m "full and not long" -n $(WORKERS) --dist worksteal

test-long: .venv/full.stamp
	$(PYTEST) -q -m long -n $(WORKERS) --dist worksteal

chaos: .venv/full.stamp
	PYTHONPATH=tests $(BIN)/python -m chaos.campaign --database sqlite --kills 500 --minutes 30
	PYTHONPATH=tests $(BIN)/python -m chaos.campaign --database postgres --bucket --kills 500 --minutes 30

lint: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

format: .venv/dev.stamp
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

frame: .venv/dev.stamp
	$(BIN)/python scripts/readme_frame.py

gallery: .venv/dev.stamp
	$(BIN)/python scripts/gallery.py
	$(BIN)/python scripts/subjects_sheet.py

compat: .venv/dev.stamp
	$(BIN)/python scripts/compatibility.py
	$(BIN)/python scripts/open_models_table.py

pins: .venv/dev.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/pins.sh

.venv/dev.stamp: requirements/dev.txt requirements/uv.txt pyproject.toml scripts/install.sh
	PYTHON="$(PYTHON)" sh scripts/install.sh requirements/dev.txt
	touch $@

.venv/full.stamp: requirements/full.txt requirements/diffusion.txt requirements/torch.txt .venv/dev.stamp scripts/install_diffusion.sh
	PYTHON="$(PYTHON)" sh scripts/install.sh requirements/full.txt
	sh scripts/install_diffusion.sh
	touch $@
