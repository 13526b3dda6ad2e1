"""Data between the object store and a program's folders, with the permissions of the job's execution role.

    Transfer(host, role).download("s3://bucket/train/", folder)
    Transfer(host, role).upload_file(path, "s3://bucket/out/model.tar.gz", kms_key)

Objects are linked, not copied, so a channel of any size costs nothing; `Links.check` finds a program that wrote to its input.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlops_core.local.aws.host import AccessDenied, Host, NoSuchObject, StoredObject
from mlops_core.local.aws.sagemaker.errors import ProgramFailed

_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?", re.DOTALL)


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` URI; `ProgramFailed` for anything else."""
    found = _URI.fullmatch(uri)
    if not found:
        raise ProgramFailed(f"ClientError: '{uri}' is not an S3 URI; write s3://BUCKET/PREFIX")
    return found["bucket"], found["key"] or ""


def relative_name(prefix: str, key: str) -> str:
    """Where an object below an S3 prefix lands inside its channel.

    A prefix that is a folder is cut off, one that is the whole key leaves the file's name, one that ends inside a name keeps that
    name whole, as SageMaker does.
    """
    if key == prefix:
        return PurePosixPath(key).name
    folder = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    if not key.startswith(folder):
        folder = prefix[: prefix.rfind("/") + 1]
    return key[len(folder) :]


@dataclass
class Links:
    """The objects linked for one program."""

    files: list[tuple[StoredObject, tuple[int, int]]] = field(default_factory=list)

    def add(self, stored: StoredObject) -> None:
        """Remember an object's file as it is now."""
        self.files.append((stored, _state(stored.path)))

    def check(self) -> None:
        """`ProgramFailed` when a linked file changed since: inputs are read-only."""
        for stored, before in self.files:
            if stored.path.exists() and _state(stored.path) != before:
                raise ProgramFailed(f"ClientError: the input {stored.key} was written to while the job ran; inputs are read-only")


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@dataclass
class Transfer:
    """Downloads and uploads of one execution role."""

    host: Host
    role_arn: str
    links: Links = field(default_factory=Links)

    def download(self, uri: str, folder: Path) -> int:
        """Link every object below an S3 URI into a folder; how many. `ProgramFailed` when there is none or a policy forbids it."""
        bucket, prefix = split_uri(uri)
        try:
            count = sum(self._link(bucket, prefix, stored, folder=folder) for stored in self._listed(bucket, prefix))
        except AccessDenied as error:
            raise ProgramFailed(f"ClientError: Data download failed: {error}") from error
        except NoSuchObject as error:
            raise ProgramFailed(f"ClientError: Data download failed: {error} does not exist") from error
        if not count:
            raise ProgramFailed(f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data source')
        return count

    def fetch(self, uri: str) -> Path:
        """The file of one object, after the role's permissions were checked."""
        bucket, key = split_uri(uri)
        try:
            stored = self.host.read_object(bucket, key)
            self._may_read(bucket, stored)
        except AccessDenied as error:
            raise ProgramFailed(f"ClientError: {error}") from error
        except NoSuchObject as error:
            raise ProgramFailed(f"ClientError: Could not find model data at {uri}.") from error
        return stored.path

    def upload_file(self, source: Path, uri: str, kms_key: str | None) -> None:
        """Store one file; `ProgramFailed` when a policy forbids it."""
        bucket, key = split_uri(uri)
        try:
            self.host.write_object(self.role_arn, bucket, key, source, kms_key)
        except AccessDenied as error:
            raise ProgramFailed(f"ClientError: Data upload failed: {error}") from error
        except NoSuchObject as error:
            raise ProgramFailed(f"ClientError: Data upload failed: {error} does not exist") from error

    def upload_folder(self, folder: Path, uri: str, kms_key: str | None) -> int:
        """Store every file below a folder under an S3 prefix; how many."""
        names = list(files_below(folder))
        for name in names:
            self.upload_file(folder / name, f"{uri.rstrip('/')}/{name}", kms_key)
        return len(names)

    def _listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self.host.enforce_role(self.role_arn, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})
        return self.host.list_objects(bucket, prefix)

    def _may_read(self, bucket: str, stored: StoredObject) -> None:
        self.host.enforce_role(self.role_arn, "s3:GetObject", f"arn:aws:s3:::{bucket}/{stored.key}", {})
        if stored.kms_key:
            context = {
                "kms:ViaService": f"s3.{self.host.region}.amazonaws.com",
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
            }
            self.host.enforce_role(self.role_arn, "kms:Decrypt", stored.kms_key, context)

    def _link(self, bucket: str, prefix: str, stored: StoredObject, *, folder: Path) -> int:
        name = relative_name(prefix, stored.key)
        if not name or name.endswith("/"):
            return 0
        self._may_read(bucket, stored)
        if any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name:
            raise ProgramFailed(f"ClientError: Data download failed: the key s3://{bucket}/{stored.key} is no path of a file")
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            link(stored.path, target)
        except (FileExistsError, NotADirectoryError) as error:
            raise ProgramFailed(f"ClientError: Data download failed: s3://{bucket}/{stored.key} is both a file and a folder") from error
        self.links.add(stored)
        return 1


def link(source: Path, target: Path) -> None:
    """A hard link, which outlives deletion and replacement of the object; a symbolic link on another file system."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        target.symlink_to(source)


def files_below(folder: Path) -> Iterator[str]:
    """Relative POSIX names of the regular files below a folder, sorted; links that lead out of it are left out."""
    if not folder.is_dir():
        return
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.resolve().is_relative_to(root):
            yield path.relative_to(folder).as_posix()


def pack(folder: Path, archive: Path) -> bool:
    """Write a folder's files as ``.tar.gz``; False (and no archive) when there are none."""
    names = list(files_below(folder))
    if not names:
        return False
    with tarfile.open(archive, "w:gz", compresslevel=6, dereference=True) as tar:
        for name in names:
            tar.add(folder / name, arcname=name, recursive=False)
    return True
