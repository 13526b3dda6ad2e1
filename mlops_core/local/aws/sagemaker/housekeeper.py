"""The service's one clock: publishes metrics, flushes captures, replaces dead processes.

housekeeper = Housekeeper([(5.0, traffic.publish), (5.0, capture.flush), (1.0, endpoints.revive)])
housekeeper.close()     # runs every duty a last time
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

LOG = logging.getLogger(__name__)
Duty = tuple[float, Callable[[], None]]


class Housekeeper:
    """Runs duties at their intervals (seconds) in one thread."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sagemaker-housekeeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the clock."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        due = [time.monotonic() + interval for interval, _ in self._duties]
        while not self._stop.wait(max(min(due) - time.monotonic(), 0.01)):
            for index, (interval, work) in enumerate(self._duties):
                if time.monotonic() >= due[index]:
                    attempt(work)
                    due[index] = time.monotonic() + interval


def attempt(work: Callable[[], None]) -> None:
    """Run one duty; a defect in it is logged and must not stop the others."""
    try:
        work()
    except Exception:  # the outermost edge of this thread
        LOG.exception("a duty of the local SageMaker failed")
