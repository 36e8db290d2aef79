# What scripts/serve and scripts/test share. To be sourced, from the project's root.

say() { printf '\033[1m· %s\033[0m\n' "$*"; }
stop() { printf 'Stopped: %s\n' "$*" >&2; exit 1; }

oldest_python=3.11
oldest_node=20.19

# A Python that is new enough, whatever it is called here.
find_python() {
  for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  return 1
}

# .venv with exactly what the requirements file names; again only when that file has changed.
make_venv() {
  requirements=$1
  python=$(find_python) || stop "Python $oldest_python or newer is needed: apt-get install python3"
  if [ ! -x .venv/bin/python ]; then
    say "Making .venv with $("$python" --version)"
    "$python" -m venv .venv 2>/dev/null || stop "Python's venv module is missing: apt-get install python3-venv"
  fi
  stamp=.venv/installed-$(basename "$requirements")
  if ! cmp -s "$requirements" "$stamp"; then
    say "Installing what $requirements names (a minute, the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements" \
      || stop "The packages of $requirements could not be installed."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . \
      || stop "The package itself could not be installed."
    cp "$requirements" "$stamp"
  fi
}

has_node() {
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  node -e "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)"
}

# GraphiQL, from its sources, where there is Node; again only when these have changed.
build_graphiql() {
  page=lms_graphql/static/graphiql/index.html
  sources=frontend/graphiql
  if [ -f "$page" ] && [ -z "$(find "$sources" -newer "$page" -type f -not -path '*/node_modules/*' | head -n 1)" ]; then
    return
  fi
  if ! has_node; then
    say "No Node $oldest_node or newer here: GraphiQL will come from its CDN"
    return
  fi
  say "Building GraphiQL (half a minute, the first time)"
  if (cd "$sources" && npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent build >/dev/null); then
    touch "$page"
  else
    say "GraphiQL could not be built: it will come from its CDN"
  fi
}
