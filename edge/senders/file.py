"""The file sender: keeps the frames of a recording session, to be replayed later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edge.errors import DeliveryError
from edge.recordings.frames import MAGIC, frame_bytes
from edge.senders.sender import DeliveryReport, OnDelivery
from schemas.envelope import Record


class FileSender:
    """Writes records into a file that `edge.recordings.frames` reads; what is reported is on disk.

    Args:
        path: a new file, or one of these to which is added.

    Raises:
        DeliveryError: if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._untold: list[OnDelivery | None] = []
        self._sent = 0
        self._acknowledged = 0
        try:
            self._file = path.open("ab")
            if self._file.tell() == 0:
                self._file.write(MAGIC)
        except OSError as error:
            raise DeliveryError(f"{path}: {error.strerror}") from error

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Write one record; it is not on disk before the next `poll`."""
        self._on_disk(lambda: self._file.write(frame_bytes(record.value)))
        self._sent += 1
        self._untold.append(on_delivery)

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Bring everything to disk and report it."""
        del timeout_s
        if self._untold:
            self._on_disk(self._sync)
            untold, self._untold = self._untold, []
            self._acknowledged += len(untold)
            for on_delivery in untold:
                if on_delivery is not None:
                    on_delivery(None)
        return DeliveryReport(self._sent, self._acknowledged)

    def close(self) -> DeliveryReport:
        """Bring everything to disk and close the file."""
        report = self.poll()
        self._file.close()
        return report

    def _sync(self) -> None:
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def _on_disk(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            raise DeliveryError(f"{self._file.name}: {error.strerror}") from error
