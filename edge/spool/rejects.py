"""Records that the receiver refused for good: kept beside the spool with reason and original bytes, one JSON a line."""

from __future__ import annotations

import base64

import orjson

from edge.spool.directory import REJECTED_NAME, SpoolDirectory
from edge.spool.lines import LinesFile
from edge.spool.segment import SpooledRecord
from schemas.headers import SENSOR_MS


class RejectedFile:
    """The file `rejected.jsonl`.

    Args:
        directory: of the spool.
        max_bytes: at most so long; then nothing is rejected, and the records stay in the spool.
    """

    def __init__(self, directory: SpoolDirectory, max_bytes: int) -> None:
        path = directory.path / REJECTED_NAME
        self._lines = LinesFile(path, max_bytes, "max_rejected_bytes", directory.files)

    def write(self, spooled: SpooledRecord, reason: str) -> None:
        """Add one record, durable on return. Written again after a crash it stands there twice.

        Raises:
            SpoolFull, SpoolFailed: it is not there; the record must stay unsettled.
        """
        self._lines.append(encode_rejected(spooled, reason))


def encode_rejected(spooled: SpooledRecord, reason: str) -> bytes:
    """One line; key and sensor_ms as text, the envelope as base64."""
    record = spooled.record
    fields = {
        "position": spooled.position,
        "append_ms": spooled.append_ms,
        "reason": reason,
        "key": record.key.decode("utf-8", errors="backslashreplace"),
        SENSOR_MS: record.headers[SENSOR_MS].decode("utf-8", errors="backslashreplace"),
        "value_base64": base64.b64encode(record.value).decode(),
    }
    return orjson.dumps(fields) + b"\n"
