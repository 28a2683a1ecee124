"""Where a job's state lies: each job keeps its checkpoints in a folder of its own name, so that it can be resumed.

A standalone Flink forgets its jobs when the JobManager ends; their retained checkpoints stay.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from schemas.errors import SettingsError

_METADATA = "_metadata"


def job_folder(base: str, job: str) -> str:
    """The folder of one job below a base URI or path; empty if there is no base."""
    return f"{base.rstrip('/')}/{job}" if base else ""


def newest_checkpoint(folder: str) -> str | None:
    """The newest complete checkpoint or savepoint in a job's folder, None if there is none.

    Raises:
        SettingsError: if the folder is not on this machine's file system, where it can't be searched.
    """
    path = _local_path(folder)
    complete = sorted(
        (metadata for pattern in ("*/chk-*", "savepoint-*") for metadata in path.glob(f"{pattern}/{_METADATA}")),
        key=lambda metadata: metadata.stat().st_mtime_ns,
    )
    return complete[-1].parent.as_uri() if complete else None


def _local_path(folder: str) -> Path:
    parts = urlsplit(folder)
    if parts.scheme in ("", "file") and parts.path:
        return Path(url2pathname(parts.path))
    raise SettingsError(f"can't look for checkpoints in {folder!r}: name one with --from")
