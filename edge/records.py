"""The records of a plan in the order in which they are sent: the one way from recordings to frames.

The replay and the offline scorer both read from here, so both see the same frames in the same order.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge.framer import Stamp, frame
from edge.framing import Framing
from edge.measurement import Measurement
from edge.plan import PlannedRecording
from edge.recordings.recording import first_sample_us
from schemas.envelope import Record


class DueMeasurement(NamedTuple):
    """A measurement and when it is sent.

    Attributes:
        due_s: sensor time from the beginning of the replay to the end of its last sample's period.
        item: place of its recording in the plan.
    """

    due_s: float
    item: int
    measurement: Measurement


class PlanFramer:
    """Cuts planned recordings into measurements, and makes records of them.

    Args:
        items: of a plan.
        framing: block length and encoding.
    """

    def __init__(self, items: Sequence[PlannedRecording], framing: Framing) -> None:
        self._items = items
        self._framing = framing
        self._sequences: defaultdict[str, int] = defaultdict(int)

    def count(self) -> int:
        """How many measurements there are."""
        return sum(item.recording.measurement_count(self._framing) for item in self._items)

    def measurements(self) -> Iterator[DueMeasurement]:
        """All measurements in the order of sending."""
        return heapq.merge(*map(self._measurements_of, range(len(self._items))), key=_order)

    def _measurements_of(self, index: int) -> Iterator[DueMeasurement]:
        item = self._items[index]
        for taken in item.recording.measurements(item.start_ms * 1_000, self._framing):
            yield DueMeasurement(item.lag_s + taken.after_s, index, taken.measurement)

    def record(self, due: DueMeasurement, *, taken_ms: int | None = None, resent: bool = False) -> Record:
        """The record of a measurement; see `edge.framer.frame`.

        The sequence is taken in the order of the calls, so that it never goes back within a device; a measurement that
        does not fit into a frame takes none.

        Raises:
            InvalidMessage: if the measurement does not fit into a frame.
        """
        item = self._items[due.item]
        device_id = item.identity.device_id
        stamp = Stamp(
            sequence=self._sequences[device_id],
            taken_ms=taken_ms,
            session_start_ms=first_sample_us(item.recording, item.start_ms * 1_000) // 1_000,
            resent=resent,
        )
        record = frame(due.measurement, item.identity, stamp, self._framing)
        self._sequences[device_id] += 1
        return record


def plan_records(items: Sequence[PlannedRecording], framing: Framing) -> Iterator[Record]:
    """All records of planned recordings in the order of sending; a function of the arguments only.

    They are those of `edge.replay.replay`, but for the time at which a measurement was taken: here it is its end in
    sensor time.

    Args:
        items: of a plan; all recordings of a device together, because its sequence counts over all of them.
        framing: block length and encoding.

    Raises:
        InvalidMessage: if a measurement does not fit into a frame.
    """
    framer = PlanFramer(items, framing)
    for due in framer.measurements():
        yield framer.record(due)


def _order(due: DueMeasurement) -> tuple[float, int]:
    return due.due_s, due.item
