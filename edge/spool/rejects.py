"""Records that the receiver refused for good: kept beside the spool with reason and original bytes, one JSON a line."""

from __future__ import annotations

import base64

import orjson

from edge.spool.directory import REJECTED_NAME, SpoolDirectory
from edge.spool.errors import SpoolFull, disk_error
from edge.spool.segment import SpooledRecord
from schemas.headers import SENSOR_MS


class RejectedFile:
    """The file `rejected.jsonl`.

    Args:
        directory: of the spool.
        max_bytes: at most so long; then nothing is rejected, and the records stay in the spool.
    """

    def __init__(self, directory: SpoolDirectory, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def write(self, spooled: SpooledRecord, reason: str) -> None:
        """Add one record, durable on return. Written again after a crash it stands there twice.

        Raises:
            SpoolFull, SpoolFailed: it is not there; the record must stay unsettled.
        """
        line = encode_rejected(spooled, reason)
        directory = self._directory
        try:
            file = directory.files.open(directory.path / REJECTED_NAME, create=True)
            try:
                size = file.size()
                if size + len(line) > self._max_bytes:
                    raise SpoolFull(f"{REJECTED_NAME} has {size} bytes, max_rejected_bytes is {self._max_bytes}")
                torn = size > 0 and file.pread(1, size - 1) != b"\n"
                file.pwrite(b"\n" * torn + line, size)
                file.fdatasync()
            finally:
                file.close()
            directory.files.fsync_directory(directory.path)
        except OSError as error:
            raise disk_error(REJECTED_NAME, error) from error


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
