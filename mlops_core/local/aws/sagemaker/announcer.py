"""Events on their way to the bus, in order, from a thread of their own.

    announcer = Announcer(host)
    announcer.tell("SageMaker Training Job State Change", detail, arn)

A target of the bus may be a function that calls back: announcing from the thread that serves requests would wait for itself.
"""

from __future__ import annotations

import logging
import queue
import threading

from mlops_core.local.aws.host import Host
from mlops_core.local.aws.sagemaker.store import Record

LOG = logging.getLogger(__name__)
SOURCE = "aws.sagemaker"
CLOSE_SECONDS = 3.0


class Announcer:
    """One queue, one thread."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waiting: queue.SimpleQueue[tuple[str, Record, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sagemaker-announcer", daemon=True)
        self._thread.start()

    def tell(self, detail_type: str, detail: Record, arn: str) -> None:
        """Put an event about one resource on the bus, after those told before."""
        self._waiting.put((detail_type, detail, arn))

    def close(self) -> None:
        """Announce what waits, then end."""
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            detail_type, detail, arn = event
            try:
                self._host.emit(SOURCE, detail_type, detail, [arn])
            except Exception:  # the outermost edge of this thread: one event must not silence the others
                LOG.exception("the event %s of %s was lost", detail_type, arn)
