"""A local AWS with images of the test's own: programs in a folder of scripts."""

from __future__ import annotations

from tests.flows.local.aws.conftest import start_lab

__all__ = ["start_lab"]
