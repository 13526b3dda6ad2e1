"""Start the server: ``python -m mlops_core.local.github --config FILE``."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import IO

import uvicorn

from mlops_core.errors import EnvironmentBroken
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.server import create_app
from mlops_core.local.github.site import Site


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _hold(folder: Path) -> IO[str]:
    """Keep a second server away from the same state; the lock ends with this process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (folder / "lock").open("a", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        message = f"another local GitHub already uses {folder}."
        raise EnvironmentBroken(message, remedy="Stop it with `mlops local down`.") from error
    return lock


def main() -> None:
    """Serve until asked to end."""
    parser = argparse.ArgumentParser(prog="python -m mlops_core.local.github", description="GitHub on loopback, for the local platform.")
    parser.add_argument("--config", type=Path, required=True, help="a JSON file, see GithubConfig")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    given = parser.parse_args()
    config = GithubConfig.read(given.config)
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    lock = _hold(config.folder)
    app = create_app(Site(config))
    if given.parent:
        threading.Thread(target=_watch_parent, args=(given.parent,), name="parent", daemon=True).start()
    uvicorn.run(app, host="127.0.0.1", port=config.port, log_level=config.log_level, access_log=False, timeout_graceful_shutdown=3)
    lock.close()


if __name__ == "__main__":
    main()
