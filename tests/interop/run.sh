#!/usr/bin/env bash
# PROCESS: an environment for the independent clients, then the drive: AWS CLI and SageMaker SDK against the local AWS.
# USAGE:   make interop          (about 700 MB are downloaded the first time)
set -euo pipefail
cd "$(dirname "$0")/../.."
export INTEROP_BIN="${INTEROP_BIN:-$PWD/.envs/interop/bin}"
if [ ! -x "$INTEROP_BIN/aws" ]; then
  .tools/bin/uv venv --quiet --python "${PYTHON:-python3}" .envs/interop
  .tools/bin/uv pip install --quiet --python .envs/interop/bin/python -r tests/interop/requirements.txt
fi
exec .venv/bin/python tests/interop/drive.py
