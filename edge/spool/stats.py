"""How a spool stands, at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from edge.spool.intervals import Run
from edge.spool.state import SpoolState


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """How a spool stands.

    Attributes:
        depth_records: committed and not settled; damaged ones among them until they are read.
        depth_bytes: of all segment files, those kept after acknowledgement among them.
        oldest_age_ms: of the oldest of them, to a second; 0 if there is none.
        durable_end: one past the last committed position.
        settled_end: every position below is settled.
        settled: positions acknowledged, rejected, lost or dropped.
        lost, dropped, rejected: how many ever.
        torn: cut off in the middle of a commit that no source was told of.
        lost_runs, dropped_runs: the latest runs of positions.
        corrupt_bytes: kept in `.corrupt` files.
    """

    depth_records: int
    depth_bytes: int
    oldest_age_ms: int
    durable_end: int
    settled_end: int
    settled: int
    lost: int
    dropped: int
    rejected: int
    torn: int
    lost_runs: tuple[Run, ...]
    dropped_runs: tuple[Run, ...]
    corrupt_bytes: int


def measure(state: SpoolState, now_ms: int) -> SpoolStats:
    """The figures of a spool at `now_ms` of the wall clock."""
    with state.lock:
        ledger = state.ledger
        settled = ledger.settled.count()
        return SpoolStats(
            depth_records=ledger.durable_end - settled,
            depth_bytes=state.catalog.bytes,
            oldest_age_ms=_oldest_age_ms(state, now_ms),
            durable_end=ledger.durable_end,
            settled_end=ledger.settled.prefix_end,
            settled=settled,
            lost=ledger.lost.total,
            dropped=ledger.dropped.total,
            rejected=ledger.rejected,
            torn=ledger.torn,
            lost_runs=tuple(ledger.lost.runs),
            dropped_runs=tuple(ledger.dropped.runs),
            corrupt_bytes=ledger.corrupt_bytes,
        )


def _oldest_age_ms(state: SpoolState, now_ms: int) -> int:
    oldest = state.ledger.settled.prefix_end
    index = state.catalog.index_of(oldest)
    if oldest >= state.ledger.durable_end or index < 0:
        return 0
    return max(0, now_ms - state.catalog.segments[index].appended_ms(oldest))
