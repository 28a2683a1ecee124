"""What a live source is: it takes measurements from devices and puts them into its outlet, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.instant import Instant
from edge.measurement import Measurement
from schemas.errors import BrainError, InvalidMessage

Acknowledge = Callable[[], None]
"""Called once, from any thread, when what it belongs to is on disk."""


class Stopped(BrainError):  # noqa: N818 - not an error, a wish that is granted
    """The agent stops: the outlet takes no more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One measurement as a source took it.

    Attributes:
        taken: when the agent had all of it.
        timed_by_device: whether the device told the time; else `measurement.start_us` follows from `taken`, and is
            wrong by as much as the wall clock was.
        acknowledge: for sources that can ask the device to send again; None for those that cannot.
        session_id: where the source knows it; None leaves it to the agent.
        session_start_ms: sensor time at which the session began; 0 if nobody knows.
        retimed_ms: by how much `edge.retiming` has moved the sensor time.
    """

    device_id: str
    measurement: Measurement
    taken: Instant
    timed_by_device: bool
    acknowledge: Acknowledge | None = None
    session_id: str | None = None
    session_start_ms: int = 0
    retimed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a device sent and nobody can read.

    Attributes:
        device_id: the source's name where the bytes do not tell the device.
        raw: the original bytes.
        error: why, with the offending value and its place.
        acknowledge: as in `Taken`: once the dead letter is on disk, the device need not send it again.
    """

    device_id: str
    raw: bytes
    error: InvalidMessage
    taken: Instant
    acknowledge: Acknowledge | None = None


class Outlet(Protocol):
    """Where a source puts what it takes. Each source has its own, so that none waits for another."""

    def put(self, taken: Taken) -> None:
        """Hand over a measurement; blocks while this source's own queue is full.

        Raises:
            Stopped: if the agent stops.
        """
        ...

    def reject(self, rejected: Rejected) -> None:
        """Hand over what cannot be read: counted, and kept as a dead letter; blocks as `put` does.

        Raises:
            Stopped: if the agent stops.
        """
        ...

    def state(self, connected: bool, detail: str) -> None:
        """Whether the device, broker or port is there now, and since or why not; never blocks."""
        ...


class LiveSource(Protocol):
    """A source that runs until it is stopped."""

    @property
    def name(self) -> str:
        """Of the source in the configuration."""
        ...

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Take measurements until `stop` is set; a source with an end returns there.

        Bad data and lost devices raise nothing: the source rejects the one and waits for the other with back-off.
        """
        ...


class Receipt:
    """Acknowledges one message when everything that was made of it is on disk.

    Args:
        acknowledge: called once, when the receipt is sealed and all its parts are acknowledged.
    """

    def __init__(self, acknowledge: Acknowledge) -> None:
        self._acknowledge = acknowledge
        self._lock = threading.Lock()
        self._open = 1

    def part(self) -> Acknowledge:
        """The acknowledgement of one more part; calling it again does nothing."""
        with self._lock:
            self._open += 1
        return self._once()

    def seal(self) -> None:
        """There are no more parts; called once."""
        self._close_one()

    def _once(self) -> Acknowledge:
        done = False

        def acknowledge() -> None:
            nonlocal done
            with self._lock:
                first, done = not done, True
            if first:
                self._close_one()

        return acknowledge

    def _close_one(self) -> None:
        with self._lock:
            self._open -= 1
            complete = self._open == 0
        if complete:
            self._acknowledge()
