"""Which position goes next: live data first, the backlog beside it within its share of the window."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.spool.intervals import IntervalSet
from edge.spool.settings import DrainSettings


@dataclass(slots=True)
class Lanes:
    """The positions that are still to be handed to a sender.

    Attributes:
        live_next: the live lane is everything from here on.
        backlog: positions before it that wait, sent from the lowest up.
        again: positions that a sender may have got before: they go out flagged.
    """

    live_next: int
    backlog: IntervalSet
    again: IntervalSet

    def fall_behind(self, durable_end: int) -> None:
        """What waits in the live lane is old: it joins the backlog, and what comes from now on goes before it."""
        self.backlog.add(self.live_next, durable_end)
        self.live_next = max(self.live_next, durable_end)

    def put_back(self, positions: IntervalSet, *, again: bool) -> None:
        """Positions that were taken go back, to the front of the backlog."""
        self.backlog.update(positions)
        if again:
            self.again.update(positions)


@dataclass(slots=True)
class Window:
    """What is in flight: handed to the sender and not reported on.

    Attributes:
        settings: the bounds.
        sizes: bytes of each position in flight.
        backlog: which of them came from the backlog lane.
    """

    settings: DrainSettings
    sizes: dict[int, int] = field(default_factory=dict)
    backlog: set[int] = field(default_factory=set)
    bytes: int = 0
    backlog_bytes: int = 0

    def __len__(self) -> int:
        return len(self.sizes)

    def add(self, position: int, size: int, *, backlog: bool) -> None:
        """A record goes to the sender."""
        self.sizes[position] = size
        self.bytes += size
        if backlog:
            self.backlog.add(position)
            self.backlog_bytes += size

    def remove(self, position: int) -> bool:
        """It was reported on; False if it was not in flight."""
        size = self.sizes.pop(position, None)
        if size is None:
            return False
        self.bytes -= size
        if position in self.backlog:
            self.backlog.discard(position)
            self.backlog_bytes -= size
        return True

    def live_room(self) -> int:
        """Records that the live lane may hand out now."""
        if not self.live_bytes():
            return 0
        return max(0, self.settings.window_records - len(self))

    def live_bytes(self) -> int:
        """Bytes that the live lane may hand out now."""
        return max(0, self.settings.window_bytes - self.bytes)

    def backlog_bytes_left(self) -> int:
        """Bytes that the backlog may."""
        share = int(self.settings.backlog_share * self.settings.window_bytes)
        return min(self.live_bytes(), max(0, share - self.backlog_bytes))

    def backlog_room(self) -> int:
        """Records that the backlog may: within its share, so that live data always finds room."""
        if not self.backlog_bytes_left():
            return 0
        share = int(self.settings.backlog_share * self.settings.window_records)
        return min(self.live_room(), max(1, share) - len(self.backlog))
