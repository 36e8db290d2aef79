# The habits. The first two commands stand on their own: scripts/serve and scripts/test.
.PHONY: serve test quick lint format schema lock bench

serve:  ## set up and serve on http://127.0.0.1:8000
	scripts/serve

test:  ## everything, as continuous integration does
	scripts/test

quick:  ## while developing: SQLite alone, on all cores, a minute
	.venv/bin/pytest -q -m "not slow"

lint:
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

format:
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

schema:  ## after a change of the types
	.venv/bin/lms-graphql schema > schema.graphql

lock:  ## after a change of the dependencies; needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-annotate --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

bench:  ## against Apollo Server and GraphQL Yoga
	benchmarks/run
