"""Ctrl-C and SIGTERM as a wish that loops read, instead of an exception out of nowhere.

confluent-kafka loses an exception that a signal handler raises while one of its callbacks runs (2.16.1: `SystemError:
poll returned NULL without setting an exception`), so the handler only counts.
"""

from __future__ import annotations

import signal
from types import FrameType


class Interruption:
    """How often the user or the service manager has asked us to stop."""

    def __init__(self) -> None:
        self._requests = 0

    @property
    def asked(self) -> bool:
        """Stop reading, and end when everything sent is acknowledged."""
        return self._requests >= 1

    @property
    def insisted(self) -> bool:
        """Asked twice: end now, and give up what is not acknowledged."""
        return self._requests >= 2

    def request(self) -> None:
        """Ask once (more)."""
        self._requests += 1

    def listen(self) -> None:
        """Take SIGINT and SIGTERM as requests from now on; only the main thread may call this."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.request()
