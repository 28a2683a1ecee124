"""For tests of programs that use the edge: a clock that stands still, a sender in memory, recordings as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.errors import DeliveryError
from edge.senders.sender import DeliveryReport, OnDelivery, Refusal
from edge.sources.source import Recording
from schemas.envelope import Record


class ManualClock:
    """A clock that moves only when someone sleeps on it or moves it.

    Attributes:
        sleeps_s: every sleep so far, in order.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._begin_ms = now_ms
        self._elapsed_s = 0.0
        self.sleeps_s: list[float] = []

    def now_ms(self) -> int:
        """Wall clock in ms since the epoch."""
        return self._begin_ms + round(self._elapsed_s * 1_000)

    def monotonic_s(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed_s

    def sleep(self, duration_s: float) -> None:
        """Move by `duration_s` at once."""
        self.sleeps_s.append(duration_s)
        self._elapsed_s += duration_s


class MemorySender:
    """A `Sender` that keeps its records and acknowledges them at the next poll.

    Args:
        refuse: records for which this is true are refused for good.

    Attributes:
        records: in the order of sending.
        closed: whether `close` was called.
    """

    def __init__(self, refuse: Callable[[Record], bool] = lambda record: False) -> None:
        self._refuse = refuse
        self._acknowledged = self._failed = 0
        self._untold: list[tuple[Record, OnDelivery]] = []
        self._told_refusals = 0
        self.records: list[Record] = []
        self.closed = False

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Keep the record."""
        self.records.append(record)
        if on_delivery is not None:
            self._untold.append((record, on_delivery))

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Acknowledge or refuse all that was sent."""
        del timeout_s
        untold, self._untold = self._untold, []
        for record, on_delivery in untold:
            refused = self._refuse(record)
            self._told_refusals += refused
            on_delivery(Refusal("refused", for_good=True) if refused else None)
        self._failed = sum(map(self._refuse, self.records)) - self._told_refusals
        self._acknowledged = len(self.records) - self._failed - self._told_refusals
        if self._failed:
            sent, acknowledged = len(self.records), self._acknowledged
            raise DeliveryError("refused", sent=sent, acknowledged=acknowledged, failed=self._failed)
        return DeliveryReport(len(self.records) - self._told_refusals, self._acknowledged, self._failed)

    def close(self) -> DeliveryReport:
        """Acknowledge what is left."""
        self.closed = True
        return self.poll()


def write_gaitpdb_text(recording: Recording, path: Path) -> Path:
    """Write a recording of 16 insole sensors as gaitpdb prints it: 19 columns, tabs, CR LF."""
    forces = recording.samples
    time_s = recording.start_s + np.arange(len(forces)) / recording.sample_rate_hz
    totals = np.stack((forces[:, :8].sum(axis=1), forces[:, 8:].sum(axis=1)), axis=1)
    table = np.column_stack((time_s, forces, totals))
    np.savetxt(path, table, fmt=["%.4f"] + ["%.10g"] * 18, delimiter="\t", newline="\r\n")
    return path


def write_gaitpdb_archive(recordings: list[Recording], path: Path) -> Path:
    """Pack recordings of 16 insole sensors into one npz of centi-newton, one key each."""
    packed = {recording.name: np.rint(recording.samples * 100.0).astype(np.uint32) for recording in recordings}
    with path.open("wb") as file:
        np.savez_compressed(file, **packed)
    return path
