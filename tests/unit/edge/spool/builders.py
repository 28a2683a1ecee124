"""Spools and records of the tests: small, so that every byte can be tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.spool.files import Files
from edge.spool.settings import SpoolSettings
from edge.spool.spool import Spool
from edge.testing import ManualClock
from schemas.envelope import Record
from schemas.headers import SENSOR_MS
from tests.unit.edge.spool.crash_files import CrashFiles

HOME = Path("/spool")


def make_record(number: int, size: int = 40) -> Record:
    """A record whose bytes say which it is."""
    value = f"value-{number}-".encode().ljust(size, bytes([number % 251]))
    return Record(f"lab/device/{number}/TEMP".encode(), value, {SENSOR_MS: str(number).encode()})


def make_records(first: int, count: int, size: int = 40) -> list[Record]:
    return [make_record(first + index, size) for index in range(count)]


def small_settings(**changes: Any) -> SpoolSettings:
    values = {"segment_bytes": 4_096, "max_bytes": 1 << 20, "min_free_bytes": 0, "keep_acknowledged_s": 0.0}
    return SpoolSettings(**{"directory": HOME, **values, **changes})


def open_spool(files: Files, clock: ManualClock | None = None, **changes: Any) -> Spool:
    """A spool on these files, of segments of 4 KiB."""
    entropy = iter(range(1, 100))
    return Spool.open(
        small_settings(**changes),
        files=files,
        clock=clock or ManualClock(),
        entropy=lambda size: bytes([next(entropy)]) * size,
    )


def fill(spool: Spool, count: int, *, group: int = 10, size: int = 40) -> None:
    """Append and commit records numbered by their positions."""
    end = spool.durable_end + count
    while spool.durable_end < end:
        first = spool.durable_end
        spool.append(make_records(first, min(group, end - first), size))
        spool.commit()


def read_all(spool: Spool) -> dict[int, Record]:
    """Every record that can be read, by position; asserts that no position comes twice and all rise."""
    batch = spool.read(0, 1 << 30)
    positions = [spooled.position for spooled in batch.records]
    assert positions == sorted(set(positions))
    assert batch.end == spool.durable_end
    return {spooled.position: spooled.record for spooled in batch.records}


def segment_names(files: CrashFiles) -> list[str]:
    return [name for name in files.list_names(HOME) if name.endswith(".seg")]
