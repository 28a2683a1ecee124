"""A scripted life of the spool, cut before and after each change of the disk: it starts from every one of them."""

from __future__ import annotations

import pytest

from edge.spool.intervals import IntervalSet
from edge.spool.spool import Spool
from schemas.envelope import Record
from tests.unit.edge.spool.builders import fill, make_record, make_records, open_spool, read_all
from tests.unit.edge.spool.crash_files import CrashFiles, PowerCut

SIZE = 300
SETTINGS = {"max_bytes": 40_000, "when_full": "drop_oldest"}


class Life:
    """Begin, fill three segments, send, drop, retire, stop, start, go on; and what was promised on the way."""

    def __init__(self, files: CrashFiles) -> None:
        self.files = files
        self.committed: dict[int, Record] = {}
        self.acknowledged = IntervalSet()

    def run(self) -> None:
        spool = open_spool(self.files, **SETTINGS)
        self._fill(spool, 40)
        spool.hand_out(0, 30)
        self._acknowledge(spool, 0, 15)
        spool.save_cursor()
        self._acknowledge(spool, 18, 30)
        spool.save_cursor()
        self._fill(spool, 120)
        spool.close()
        spool = open_spool(self.files, **SETTINGS)
        self._fill(spool, 20)
        spool.close()

    def _fill(self, spool: Spool, count: int) -> None:
        for _ in range(count // 10):
            first = spool.append(make_records(spool.durable_end, 10, SIZE))
            spool.commit()
            self.committed |= {n: make_record(n, SIZE) for n in range(first, first + 10)}

    def _acknowledge(self, spool: Spool, begin: int, end: int) -> None:
        self.acknowledged.add(begin, end)
        spool.acknowledge(IntervalSet([(begin, end)]))


def _cut_at(files: CrashFiles, point: int) -> None:
    """Power goes at one point: even ones are before a change, odd ones after it."""
    points = iter(range(1 << 30))

    def pass_point(call: str) -> None:
        del call
        if next(points) == point:
            raise PowerCut

    files.before = files.after = pass_point


def _count_points() -> int:
    files = CrashFiles()
    Life(files).run()
    return 2 * len(files.calls)


@pytest.mark.parametrize("unlucky", [True, False], ids=["nothing unsynced is kept", "some of it is kept"])
def test_it_starts_from_every_crash_point(unlucky: bool) -> None:
    points = _count_points()
    assert points > 150
    for point in range(points):
        files = CrashFiles(seed=point)
        files.unlucky = unlucky
        life = Life(files)
        _cut_at(files, point)
        with pytest.raises(PowerCut):
            life.run()
        files.before = files.after = lambda call: None
        files.crash()
        _judge(files, life, point)


def _judge(files: CrashFiles, life: Life, point: int) -> None:
    spool = open_spool(files, **SETTINGS)
    records, stats = read_all(spool), spool.stats()
    assert stats.lost == 0, point
    dropped = IntervalSet(stats.dropped_runs)
    owed = [at for at in life.committed if at not in life.acknowledged and at not in dropped]
    assert all(records.get(at) == life.committed[at] and at in spool.unsettled() for at in owed), point
    assert stats.dropped == dropped.count()
    fill(spool, 5, size=SIZE)
    spool.close()
    assert len(read_all(open_spool(files, **SETTINGS))) >= 5
