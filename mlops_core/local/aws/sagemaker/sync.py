"""A folder of a running program kept in step with an S3 prefix: checkpoints and continuous outputs.

sync = FolderSync(transfer, folder, "s3://bucket/checkpoints/", interval_s=30)
sync.restore(); …; sync.tick(); …; sync.flush()
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mlops_core.local.aws.host import AccessDenied, NoSuchObject
from mlops_core.local.aws.sagemaker.errors import ProgramFailed
from mlops_core.local.aws.sagemaker.transfer import Transfer, files_below, relative_name, split_uri


class FolderSync:
    """Uploads files that changed; a file that vanished stays in S3."""

    def __init__(self, transfer: Transfer, folder: Path, uri: str, *, interval_s: float, kms_key: str | None = None) -> None:
        self._transfer = transfer
        self._folder = folder
        self._uri = uri.rstrip("/")
        self._interval_s = interval_s
        self._kms_key = kms_key
        self._seen: dict[str, tuple[int, int]] = {}
        self._next = time.monotonic() + interval_s

    def restore(self) -> None:
        """Copy what the prefix holds into the folder; copies, because the program writes there."""
        bucket, prefix = split_uri(self._uri)
        host, role = self._transfer.host, self._transfer.role_arn
        try:
            host.enforce_role(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})
            for stored in host.list_objects(bucket, prefix + "/"):
                name = relative_name(prefix, stored.key)
                if not name or name.endswith("/") or ".." in name.split("/"):
                    continue
                source = self._transfer.fetch(f"s3://{bucket}/{stored.key}")
                target = self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                self._seen[name] = _state(target)
        except (AccessDenied, NoSuchObject) as error:
            raise ProgramFailed(f"ClientError: Checkpoint download failed: {error}") from error

    def tick(self) -> None:
        """Upload when the interval is over."""
        if time.monotonic() >= self._next:
            self.flush()
            self._next = time.monotonic() + self._interval_s

    def flush(self) -> None:
        """Upload every file that changed since it was last seen."""
        for name in files_below(self._folder):
            state = _state(self._folder / name)
            if self._seen.get(name) != state:
                self._transfer.upload_file(self._folder / name, f"{self._uri}/{name}", self._kms_key)
                self._seen[name] = state


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
