"""Start the server: ``python -m mlops_core.local.github --config FILE``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import time
from pathlib import Path

import uvicorn

from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.server import create_app
from mlops_core.local.github.site import Site


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve until asked to end."""
    parser = argparse.ArgumentParser(prog="python -m mlops_core.local.github", description="GitHub on loopback, for the local platform.")
    parser.add_argument("--config", type=Path, required=True, help="a JSON file, see GithubConfig")
    config = GithubConfig.read(parser.parse_args().config)
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(Site(config))
    if config.die_with_parent:
        threading.Thread(target=_watch_parent, args=(os.getppid(),), name="parent", daemon=True).start()
    uvicorn.run(app, host="127.0.0.1", port=config.port, log_level=config.log_level, access_log=False, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main()
