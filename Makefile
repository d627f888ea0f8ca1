# Two commands: `make demo` runs the main job, `make test` proves everything. Both work from nothing.
PYTHON ?= python3
V := .venv
BIN := $(V)/bin
UV := VIRTUAL_ENV=$(V) UV_PYTHON_DOWNLOADS=never $(BIN)/uv

.PHONY: demo test lint types suite pins clean

demo: $(V)/.run
	$(BIN)/python examples/demo.py

test: lint types suite

lint: $(V)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(V)/.dev
	$(BIN)/mypy

suite: $(V)/.dev
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n 2 --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

pins: $(BIN)/uv
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group demo pyproject.toml -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group dev pyproject.toml -o requirements-dev.txt

clean:
	rm -rf $(V) .coverage* .mypy_cache .ruff_cache .hypothesis

$(BIN)/uv:
	$(PYTHON) -m venv $(V)
	$(BIN)/pip install -q --disable-pip-version-check uv==0.13.8

$(V)/.run: requirements.txt pyproject.toml | $(BIN)/uv
	$(UV) pip install -q --require-hashes -r requirements.txt
	$(UV) pip install -q --no-deps -e .
	touch $@

$(V)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/uv
	$(UV) pip install -q --require-hashes -r requirements-dev.txt
	$(UV) pip install -q --no-deps --no-build-isolation -e .
	touch $@
