"""Messages between a network thread, which must not wait for the disk, and the source's own thread, which may."""

from __future__ import annotations

import queue
import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")

_SLICE_S = 0.1
"""So often a waiting thread looks whether it should stop."""


class Inbox(Generic[Item]):
    """A bounded queue that a stop ends on both sides.

    Args:
        size: messages at most.
        stop: ends all waiting.
    """

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._queue: queue.Queue[Item] = queue.Queue(size)
        self._stop = stop

    def put(self, item: Item, timeout_s: float | None = None) -> bool:
        """Wait for room; False if there is none in time, or a stop came first."""
        slices = None if timeout_s is None else max(1, round(timeout_s / _SLICE_S))
        while not self._stop.is_set() and (slices is None or slices > 0):
            try:
                self._queue.put(item, timeout=_SLICE_S)
            except queue.Full:
                slices = None if slices is None else slices - 1
            else:
                return True
        return False

    def take(self) -> Item | None:
        """Wait a moment for the next message; None if none came."""
        try:
            return self._queue.get(timeout=_SLICE_S)
        except queue.Empty:
            return None
