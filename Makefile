# Commands for development. scripts/serve and scripts/test work without make.
.PHONY: serve test dev quick lint format schema schema-diff settings-table lock audit bench

BASE ?= origin/main

serve:  ## set up and serve at http://127.0.0.1:8000
	scripts/serve

test:  ## everything that continuous integration runs
	scripts/test

dev:  ## install the packages for tests and checks; scripts/serve installs fewer
	@bash -c 'set -euo pipefail; . scripts/lib.sh; make_venv requirements-dev.txt'

quick: dev  ## while developing: on SQLite, on all cores, about a minute
	.venv/bin/pytest -q -m "not slow"

lint: dev
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

format: dev
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

schema: dev  ## after a change of GraphQL types
	.venv/bin/lms-graphql schema > schema.graphql

schema-diff: dev  ## what the schema changes for clients since the revision BASE
	.venv/bin/python scripts/schema_diff.py $(BASE)

settings-table: dev  ## after a change of settings
	.venv/bin/python scripts/settings_table.py --write

lock:  ## after a change of the dependencies; needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --extra stripe --extra paypal -c requirements-dev.txt pyproject.toml -o requirements-payments.txt

audit:  ## known vulnerabilities of the dependencies; needs pipx and npm
	pipx run pip-audit --strict --require-hashes --disable-pip -r requirements-dev.txt
	npm audit --package-lock-only --audit-level=moderate --prefix frontend/graphiql
	npm audit --package-lock-only --audit-level=moderate --prefix tests/clients
	npm audit --package-lock-only --audit-level=moderate --prefix benchmarks/peers

bench:  ## compare with Apollo Server and GraphQL Yoga
	benchmarks/run
