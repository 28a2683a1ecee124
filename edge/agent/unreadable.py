"""What a device sent and nobody can read: kept beside the spool with reason and original bytes, one JSON a line."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from edge.sources.source import Rejected
from edge.spool.files import Files
from edge.spool.lines import LinesFile

NAME = "unreadable.jsonl"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One of them, and the source it came through."""

    source: str
    rejected: Rejected


class UnreadableFile:
    """The file `unreadable.jsonl`.

    Args:
        directory: of the spool.
        max_bytes: at most so long; then the source that sends such waits.
        files: how it is written.
    """

    def __init__(self, directory: Path, max_bytes: int, files: Files) -> None:
        self._lines = LinesFile(directory / NAME, max_bytes, "max_unreadable_bytes", files)

    def write(self, unreadable: Sequence[Unreadable]) -> None:
        """Add some, durable on return; after a crash they may stand there twice.

        Raises:
            SpoolFull, SpoolFailed: they are not there, and must not be acknowledged.
        """
        self._lines.append(b"".join(map(_line, unreadable)))


def _line(one: Unreadable) -> bytes:
    rejected = one.rejected
    fields = {
        "source": one.source,
        "device_id": rejected.device_id,
        "taken_ms": rejected.taken.wall_ms,
        "reason": rejected.error.reason.value,
        "detail": rejected.error.detail,
        "raw_base64": base64.b64encode(rejected.raw).decode(),
    }
    return orjson.dumps(fields) + b"\n"
