"""An inlet: the queue between one source and the disk, so that no source waits for another."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass

from edge.sources.source import Rejected, Stopped, Taken

_SLICE_S = 0.2


@dataclass(frozen=True, slots=True)
class Connection:
    """What a source says of its device, broker or port."""

    connected: bool
    detail: str


class Arrival:
    """Wakes the one who empties the inlets."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def tell(self) -> None:
        """Something is there."""
        self._event.set()

    def wait(self, timeout_s: float) -> None:
        """Until something is there, at most so long."""
        self._event.wait(timeout_s)
        self._event.clear()


class Inlet:
    """The outlet of one source; see `edge.sources.source.Outlet`.

    Args:
        name: of the source.
        most: measurements that wait at most; then the source does.
        arrival: told of each of them.
        stop: set when the agent stops.
    """

    def __init__(self, name: str, most: int, arrival: Arrival, stop: threading.Event) -> None:
        self.name = name
        self._queue: queue.Queue[Taken | Rejected] = queue.Queue(most)
        self._arrival = arrival
        self._stop = stop
        self._connections: deque[Connection] = deque(maxlen=100)
        self.connection = Connection(connected=False, detail="starting")
        self.ended = False

    def put(self, taken: Taken) -> None:
        """See Outlet."""
        self._put(taken)

    def reject(self, rejected: Rejected) -> None:
        """See Outlet."""
        self._put(rejected)

    def state(self, connected: bool, detail: str) -> None:
        """See Outlet."""
        changed = connected != self.connection.connected
        self.connection = Connection(connected, detail)
        if changed:
            self._connections.append(self.connection)
            self._arrival.tell()

    def take(self, most: int) -> list[Taken | Rejected]:
        """What waits, at most so many; does not wait for more."""
        taken: list[Taken | Rejected] = []
        while len(taken) < most:
            try:
                taken.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return taken

    def changes(self) -> list[Connection]:
        """Connects and disconnects since the last call, in order."""
        told = []
        while self._connections:
            told.append(self._connections.popleft())
        return told

    @property
    def waiting(self) -> int:
        """How many measurements wait for the disk."""
        return self._queue.qsize()

    def _put(self, one: Taken | Rejected) -> None:
        while True:
            if self._stop.is_set():
                raise Stopped("the agent stops")
            try:
                self._queue.put(one, timeout=_SLICE_S)
            except queue.Full:
                continue
            self._arrival.tell()
            return
