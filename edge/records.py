"""The records of a plan in the order in which they are sent: the one way from recordings to frames.

The replay and the offline scorer both read from here, so both see the same frames in the same order.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge.framer import Block, Framer, Framing
from edge.plan import PlannedRecording
from schemas.envelope import Record


class DueBlock(NamedTuple):
    """A block and when it is sent.

    Attributes:
        due_s: sensor time from the beginning of the replay to the end of its last sample's period.
        item: place of its recording in the plan.
    """

    due_s: float
    item: int
    block: Block


class PlanFramer:
    """Cuts planned recordings into blocks, and makes records of them.

    Args:
        items: of a plan.
        framing: block length and encoding.
    """

    def __init__(self, items: Sequence[PlannedRecording], framing: Framing) -> None:
        self._items = items
        self._framing = framing
        self._framers = [
            Framer(item.recording, item.identity, start_ms=item.start_ms, framing=framing) for item in items
        ]
        self._sequences: defaultdict[str, int] = defaultdict(int)

    def count(self) -> int:
        """How many blocks there are."""
        return sum(
            -(-len(item.recording.samples) // self._framing.block_samples(item.recording)) for item in self._items
        )

    def blocks(self) -> Iterator[DueBlock]:
        """All blocks in the order of sending."""
        return heapq.merge(*map(self._blocks_of, range(len(self._items))), key=_order)

    def _blocks_of(self, index: int) -> Iterator[DueBlock]:
        item = self._items[index]
        for block in self._framers[index].blocks():
            yield DueBlock(item.lag_s + block.end_sample / item.recording.sample_rate_hz, index, block)

    def record(self, due: DueBlock, *, taken_ms: int | None = None, resent: bool = False) -> Record:
        """The record of a block; see `Framer.envelope`.

        The sequence is taken in the order of the calls, so that it never goes back within a device; a block that does
        not fit into a frame takes none.

        Raises:
            InvalidMessage: if the block does not fit into a frame.
        """
        device_id = self._items[due.item].identity.device_id
        sequence = self._sequences[device_id]
        record = self._framers[due.item].record(due.block, sequence=sequence, taken_ms=taken_ms, resent=resent)
        self._sequences[device_id] += 1
        return record


def plan_records(items: Sequence[PlannedRecording], framing: Framing) -> Iterator[Record]:
    """All records of planned recordings in the order of sending; a function of the arguments only.

    They are those of `edge.replay.replay`, but for the time at which a block was taken: here it is the end of the block
    in sensor time.

    Args:
        items: of a plan; all recordings of a device together, because its sequence counts over all of them.
        framing: block length and encoding.

    Raises:
        InvalidMessage: if a block does not fit into a frame.
    """
    framer = PlanFramer(items, framing)
    for due in framer.blocks():
        yield framer.record(due)


def _order(due: DueBlock) -> tuple[float, int]:
    return due.due_s, due.item
