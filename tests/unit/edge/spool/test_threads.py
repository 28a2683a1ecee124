"""One thread fills the spool to its quota while the other empties it: all arrives once, and the spool stays small."""

from __future__ import annotations

import threading
from pathlib import Path

from edge.pace import SystemClock
from edge.spool.drain import Drain
from edge.spool.errors import SpoolFull
from edge.spool.settings import DrainSettings
from edge.spool.spool import Spool
from edge.testing import MemorySender
from tests.unit.edge.spool.builders import make_record, make_records, small_settings

COUNT, GROUP = 5_000, 25
QUOTA_BYTES = 60_000


def test_a_writer_and_a_sender_at_once(tmp_path: Path) -> None:
    spool = Spool.open(small_settings(directory=tmp_path / "spool", max_bytes=QUOTA_BYTES, segment_bytes=8_192))
    sender, room = MemorySender(), threading.Event()
    finished = threading.Event()

    def fill() -> None:
        first = 0
        while first < COUNT:
            try:
                first = spool.append(make_records(first, GROUP)) + GROUP
            except SpoolFull:
                room.clear()
                room.wait(1.0)
                continue
            spool.commit()
        finished.set()

    writer = threading.Thread(target=fill, daemon=True)
    drain = Drain(spool, lambda: sender, DrainSettings(window_records=200, cursor_ms=0), clock=SystemClock())
    writer.start()
    while not (finished.is_set() and spool.stats().depth_records == 0):
        drain.step(0.001)
        room.set()
        assert spool.stats().depth_bytes <= QUOTA_BYTES
    writer.join()
    assert drain.close(1.0) == 0
    assert sorted(record.value for record in sender.records) == sorted(make_record(n).value for n in range(COUNT))
    assert spool.stats().dropped == spool.stats().lost == 0
    spool.close()
    spool = Spool.open(small_settings(directory=tmp_path / "spool", max_bytes=QUOTA_BYTES, segment_bytes=8_192))
    assert not len(spool.unsettled())
    spool.close()
