"""What is known of the positions: which are durable, handed out, settled, lost and dropped. The cursor stores it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from edge.spool.intervals import IntervalSet, Run
from edge.spool.segment import STREAM_ID_BYTES

SETTLED_RUNS = 512
HANDED_OUT_RUNS = 64
TALLY_RUNS = 128

_COUNTS = struct.Struct(f"<{STREAM_ID_BYTES}sQQQQQQHHHH")
_RUN = struct.Struct("<QQ")

MAX_LEDGER_BYTES = _COUNTS.size + _RUN.size * (SETTLED_RUNS + HANDED_OUT_RUNS + 2 * TALLY_RUNS)


@dataclass(slots=True)
class Tally:
    """Positions that went a bad way: how many ever, exactly, and the latest runs of them."""

    total: int = 0
    runs: IntervalSet = field(default_factory=IntervalSet)

    def add(self, runs: list[Run]) -> None:
        """Count runs that were not counted before."""
        self.total += sum(end - begin for begin, end in runs)
        self.runs.update(runs)
        if len(self.runs) > TALLY_RUNS:
            self.runs = self.runs.highest(TALLY_RUNS)


@dataclass(slots=True)
class Ledger:
    """The state of every position ever given out.

    Attributes:
        stream_id: of this spool; segments of another are not ours.
        durable_end: every position below was durable.
        settled: nothing is left to do for them: acknowledged, rejected, lost or dropped.
        handed_out: those that a sender may have got; a superset.
        lost: positions that were durable once and cannot be read.
        dropped: positions given up for room or age, under `drop_oldest`.
        rejected: records that the receiver refused for good.
        torn: positions of a last group that a crash cut off in the middle of its write; no source was told of them.
        corrupt_bytes: saved to `.corrupt` files.
    """

    stream_id: bytes
    durable_end: int = 0
    settled: IntervalSet = field(default_factory=IntervalSet)
    handed_out: IntervalSet = field(default_factory=IntervalSet)
    lost: Tally = field(default_factory=Tally)
    dropped: Tally = field(default_factory=Tally)
    rejected: int = 0
    torn: int = 0
    corrupt_bytes: int = 0

    def give_up(self, tally: Tally, begin: int, end: int) -> list[Run]:
        """Settle what is unsettled in `[begin, end)` and count it in a tally of this ledger; returns it."""
        runs = self.settled.missing(begin, end)
        tally.add(runs)
        self.settled.update(runs)
        return runs

    def bounded(self) -> Ledger:
        """What fits into the cursor: of the settled a subset (lag: sent again), of the handed out a superset."""
        handed_out = self.handed_out.copy()
        handed_out.remove(0, self.settled.prefix_end)
        return Ledger(
            self.stream_id,
            self.durable_end,
            self.settled.lowest(SETTLED_RUNS),
            handed_out.coarsened(HANDED_OUT_RUNS),
            Tally(self.lost.total, self.lost.runs.copy()),
            Tally(self.dropped.total, self.dropped.runs.copy()),
            self.rejected,
            self.torn,
            self.corrupt_bytes,
        )

    def to_bytes(self) -> bytes:
        """At most `MAX_LEDGER_BYTES`; of a bounded ledger."""
        sets = (self.settled, self.handed_out, self.lost.runs, self.dropped.runs)
        totals = (self.durable_end, self.rejected, self.torn, self.lost.total, self.dropped.total, self.corrupt_bytes)
        head = _COUNTS.pack(self.stream_id, *totals, *map(len, sets))
        return head + b"".join(_RUN.pack(*run) for runs in sets for run in runs)

    @classmethod
    def from_bytes(cls, data: bytes) -> Ledger:
        """The ledger in bytes whose CRC was right."""
        stream_id, durable_end, rejected, torn, lost, dropped, corrupt_bytes, *lengths = _COUNTS.unpack_from(data)
        runs = iter(_RUN.iter_unpack(data[_COUNTS.size :]))
        settled, handed_out, lost_runs, dropped_runs = (
            IntervalSet(next(runs) for _ in range(length)) for length in lengths
        )
        tallies = Tally(lost, lost_runs), Tally(dropped, dropped_runs)
        return cls(stream_id, durable_end, settled, handed_out, *tallies, rejected, torn, corrupt_bytes)
