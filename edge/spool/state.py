"""What the writing and the reading thread share, and how it gets to disk."""

from __future__ import annotations

import threading

from edge.spool.catalog import Catalog, Segment
from edge.spool.cursor import CursorFile
from edge.spool.directory import SpoolDirectory
from edge.spool.ledger import Ledger


class SpoolState:
    """The ledger and the catalog under one lock, and the cursor that makes the ledger durable.

    Attributes:
        lock: held for moments only, never while the disk works.
        ledger, catalog: touched only under the lock.
        saved: the ledger as the cursor file holds it; never changed, only replaced.
    """

    def __init__(self, directory: SpoolDirectory, cursor: CursorFile, ledger: Ledger, catalog: Catalog) -> None:
        self.directory = directory
        self.ledger = ledger
        self.catalog = catalog
        self.lock = threading.Lock()
        self.saved = cursor.loaded or Ledger(ledger.stream_id)
        self._cursor = cursor
        self._saving = threading.Lock()

    def save(self) -> None:
        """Store the ledger as it is now, and return when it is durable.

        Raises:
            SpoolFull, SpoolFailed: the cursor lags until a later save succeeds.
        """
        with self._saving:
            with self.lock:
                ledger = self.ledger.bounded()
            self._cursor.save(ledger)
            self.saved = ledger

    def remove(self, segments: list[Segment]) -> None:
        """Remove segments that the saved ledger has settled, unless the other thread was here first.

        Raises:
            OSError: if the disk refuses; a file that stays is removed after the next start.
        """
        removed: list[int] = []
        with self.lock:
            for segment, end in self.catalog.sealed(self.ledger.durable_end):
                if segment in segments and self.ledger.settled.covers(segment.base, end):
                    removed.append(segment.base)
                    self.catalog.segments.remove(segment)
        self.directory.remove_segments(removed)

    def close(self) -> None:
        """Close the cursor's file."""
        self._cursor.close()
