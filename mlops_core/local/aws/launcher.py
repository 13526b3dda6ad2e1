"""The host process: MiniStack with our registrations, on one TLS port of 127.0.0.1.

    MINISTACK_ENVIRONMENT/bin/python -I launcher.py STATE/config.json      (started by `mlops_core.local.aws.process`)

It runs in MiniStack's own environment and imports `mlops_core.errors` and `mlops_core.local.aws` only: the package is found by its folder,
without adding the product's dependencies to the import path.
"""

from __future__ import annotations

import asyncio.constants
import importlib.util
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_core.local.aws.config import AwsConfig

_PARENT_POLL_SECONDS = 0.5
_SSL_SHUTDOWN_SECONDS = 0.5


def main() -> None:
    """Serve until SIGTERM, SIGINT or, on request, the end of the parent."""
    _find_package(Path(__file__).resolve().parents[2])
    from mlops_core.local.aws.config import AwsConfig
    from mlops_core.local.aws.tls import ensure

    os.umask(0o077)  # the state folder holds keys and secrets
    config = AwsConfig.read(Path(sys.argv[1]))
    chain, key = ensure(config.state / "tls")
    _prepare(config, chain, key)
    if config.die_with_parent:
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True, name="follow-parent").start()
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = _SSL_SHUTDOWN_SECONDS
    logging.getLogger("asyncio").addFilter(_speaks_of_something_else)
    _serve(config)


def _find_package(folder: Path) -> None:
    """Make ``mlops_core`` importable from its folder alone."""
    if "mlops_core" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location("mlops_core", folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules["mlops_core"] = package
    spec.loader.exec_module(package)


def _prepare(config: AwsConfig, chain: Path, key: Path) -> None:
    """The environment MiniStack reads at import: nothing of the caller's is left but PATH and LANG."""
    root = credentials(config.state)
    temporary = config.state / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    os.environ.update(
        AUTH="true",
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(config.port),
        USE_SSL="1",
        MINISTACK_SSL_CERT=str(chain),
        MINISTACK_SSL_KEY=str(key),
        MINISTACK_ACCOUNT_ID=config.account,
        MINISTACK_REGION=config.region,
        MINISTACK_WORKER_THREADS="128",
        PERSIST_STATE="1",
        STATE_DIR=str(config.state / "services"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(config.state / "s3"),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",
        LOG_LEVEL=config.log_level,
        TMPDIR=str(temporary),
        HOME=str(temporary),
        AWS_CA_BUNDLE=str(config.ca_bundle),
        AWS_ENDPOINT_URL=config.endpoint,
        AWS_DEFAULT_REGION=config.region,
        AWS_ACCESS_KEY_ID=root["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=root["SecretAccessKey"],
    )


def credentials(state: Path) -> dict[str, str]:
    """The root user's keys, made once per state folder and readable by its owner only."""
    path = state / "root.json"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        made = {"AccessKeyId": f"AKIA{secrets.token_hex(8).upper()}", "SecretAccessKey": secrets.token_hex(20)}
        staging = path.with_suffix(".new")
        staging.touch(mode=0o600)
        staging.write_text(json.dumps(made), encoding="utf-8")
        staging.replace(path)
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _speaks_of_something_else(record: logging.LogRecord) -> bool:
    """Clients that leave without TLS's goodbye are no news: SDKs do so with every pooled connection."""
    return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError) and "SSL shutdown" in str(record.exc_info[1]))


def _follow(parent: int) -> None:
    """End with the process that started us, however it ended."""
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(config: AwsConfig) -> None:
    from mlops_core.local.aws.hooks.platform import Platform

    platform: Any = Platform(config)
    try:
        platform.serve()
    finally:
        platform.close()


if __name__ == "__main__":
    main()
