#!/usr/bin/env bash
# The suite, Python only: the flows, which mostly wait, beside the unit and policy tests, which mostly compute.
#   bash tests/suite.sh                  everything (make test)
#   bash tests/suite.sh tests/unit -k x  a part of it, in one process (make test ARGS="…")
# Ends with 1 when either half failed; the second half is shown when the first has ended, and kept in build/test-unit.log.
set -euo pipefail
cd "$(dirname "$0")/.."
run=(.venv/bin/python -m pytest -q -m "not browser and not node")
[ $# -eq 0 ] || exec "${run[@]}" "$@"

mkdir -p build
"${run[@]}" -p no:cacheprovider tests/unit tests/policy >build/test-unit.log 2>&1 &
unit=$!
trap 'kill "$unit" 2>/dev/null || true' EXIT
echo "flows (unit and policy tests beside them, in build/test-unit.log)"
failed=0
"${run[@]}" tests/flows || failed=1
echo "unit and policy tests"
wait "$unit" || failed=1
cat build/test-unit.log
exit $failed
