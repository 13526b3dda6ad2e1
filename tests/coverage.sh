#!/usr/bin/env bash
# Lines of mlops_core/ that the suite executes, in pytest's own process, the commands, the local AWS, Lambda workers and container programs.
#   bash tests/coverage.sh                  the whole suite without browser and Node tests
#   bash tests/coverage.sh tests/unit       a part of it
# Everything happens in a copy of the project below build/coverage: the clone's own environments are not touched.
# Ends with 1 below LEAST per cent.  Tests that time a start may fail while they are measured; `make test` judges them.
set -euo pipefail
cd "$(dirname "$0")/.."
LEAST=85
here=$PWD folder=$PWD/build/coverage tree=$PWD/build/coverage/tree
UV=$(.venv/bin/python -c 'from pathlib import Path; from mlops_core.local.environments import find_uv; print(find_uv(Path(".").resolve()))')
export UV

rm -rf "$folder/data" "$folder/report" && mkdir -p "$tree"
find "$tree" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .envs -exec rm -rf {} +
git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null -T - -cf - | tar -xf - -C "$tree"
cd "$tree"
git init -q . && git add -A && git -c user.name=coverage -c user.email=coverage@localhost commit -q -m "Measured tree"
[ -x .venv/bin/python ] || "$UV" venv --quiet --python "$here/.venv/bin/python" .venv
"$UV" pip sync --quiet --require-hashes --python .venv/bin/python locks/dev.txt
"$UV" pip install --quiet --no-deps --python .venv/bin/python --editable .
.venv/bin/python tests/covered.py "$tree" "$folder"

selected=("$@")
[ ${#selected[@]} -gt 0 ] || selected=(-m "not browser and not node")
.venv/bin/python -m pytest -q -p no:cacheprovider "${selected[@]}" || echo "coverage: tests failed while they were measured (status $?)"

export COVERAGE_RCFILE=$folder/rules.ini
printf 'pass\n' >"$folder/nothing.py"
# Files that no process imported count too: a run that names the package as its source records them with no line.
.venv/bin/python -S -c "import sys; sys.path[:0] = ['$folder/library', '.']; from coverage.cmdline import main; sys.exit(main(['run', '--include=', '--source=mlops_core', '$folder/nothing.py']))"
.venv/bin/python -m coverage combine --quiet
.venv/bin/python -m coverage json --quiet -o "$folder/coverage.json"
.venv/bin/python -m coverage report --fail-under=$LEAST
