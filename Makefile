# Two commands: `make demo` runs the main job, `make test` proves everything. Both work from nothing.
PYTHON ?= python3
V := .venv
BIN := $(V)/bin
BENCH := .venv-bench
UV := VIRTUAL_ENV=$(V) UV_PYTHON_DOWNLOADS=never $(BIN)/uv

# The suite runs on these as well, where they are there: without what depends on Python least and takes longest, which
# is the browser, the servers, the hosts, mails and pages, the storage's own tests, random inputs, the benchmarks, and the
# black-box tests of security and documents. 3.12, between two versions that run more, has the features.
OTHERS := 3.12 3.13
SHORT := $(addprefix --ignore tests/,browser fuzz openapi security storage hosts mail pages test_benchmarks.py) \
	-k "not postgres15 and not databases"
SHORT_3.12 := tests/features tests/test_main_job.py

.PHONY: demo test lint types suite others bench bench-quick wrk postgres redis browser pins clean

demo: $(V)/.run
	$(BIN)/python examples/demo.py

test: lint types others suite

lint: $(V)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(V)/.dev
	$(BIN)/mypy

suite: $(V)/.dev postgres redis browser
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n 2 --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

others: $(V)/.dev postgres redis
	@for version in $(OTHERS); do \
		python=$$(ls -d $$HOME/.pyenv/versions/$$version.*/bin/python 2>/dev/null | tail -n 1); \
		python=$${python:-$$(command -v python$$version)}; \
		if ! "$$python" -c '' 2>/dev/null; then echo "Python $$version is not here"; continue; fi; \
		echo "Python $$version:"; \
		[ -x .venv-$$version/bin/python ] || $(BIN)/uv venv -q --python "$$python" .venv-$$version; \
		$(BIN)/uv pip install -q --python .venv-$$version/bin/python --require-hashes -r requirements-dev.txt || exit 1; \
		$(BIN)/uv pip install -q --python .venv-$$version/bin/python --no-deps --no-build-isolation -e . || exit 1; \
		.venv-$$version/bin/python -m pytest -q -n 2 --dist worksteal $(SHORT) \
			$$([ $$version != 3.12 ] || echo $(SHORT_3.12)) || exit 1; \
	done

# Twenty minutes at most; the results go to benchmarks/results and into the README. The quick run keeps its own apart.
bench: $(BENCH)/.done postgres wrk
	$(BENCH)/bin/python -m benchmarks full

bench-quick: $(BENCH)/.done postgres wrk
	$(BENCH)/bin/python -m benchmarks quick

$(BENCH)/.done: requirements-bench.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv venv -q --clear --python $(PYTHON) $(BENCH)
	VIRTUAL_ENV=$(BENCH) $(BIN)/uv pip install -q --require-hashes -r requirements-bench.txt
	VIRTUAL_ENV=$(BENCH) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

# wrk comes from Debian; without it, a client of our own makes the load.
wrk:
	@if ! command -v wrk >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk \
		|| echo "wrk could not be installed"; \
	fi

# PostgreSQL 18 comes with the pins, 15 from Debian; where it can't be installed, the tests say what is missing.
postgres:
	@if [ ! -x /usr/lib/postgresql/15/bin/postgres ] && [ -z "$$ASGI_AUTH_PG_BIN" ] && command -v apt-get >/dev/null \
		&& [ "$$(id -u)" = 0 ]; then \
		mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15; \
	fi

# Redis comes from Debian; where it can't be installed, its tests are passed over and say so.
redis:
	@if ! command -v redis-server >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server \
		|| echo "redis-server could not be installed"; \
	fi

# Chromium drives the pages; where it can't be installed, the tests say what is missing.
browser:
	@if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && [ -z "$$ASGI_AUTH_CHROMIUM" ] \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation; \
	fi

pins: $(BIN)/uv
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group demo pyproject.toml -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group dev pyproject.toml -o requirements-dev.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra postgres --extra databases --group bench pyproject.toml -o requirements-bench.txt

clean:
	rm -rf $(V) .venv-* .coverage* .mypy_cache .ruff_cache .hypothesis

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
