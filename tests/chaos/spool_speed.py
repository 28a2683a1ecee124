"""How fast a group commit is: the spool against SQLite in WAL mode with synchronous=FULL, on the same disk.

    python -m tests.chaos.spool_speed --directory /tmp --records 200000 --group 500

Both store the same records of about 300 bytes and return from a commit only when the disk has them. The floor is a
file to which the same bytes are appended with one fdatasync a group: no store that keeps the promise is faster.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.spool.settings import SpoolSettings
from edge.spool.spool import Spool
from schemas.envelope import Record
from schemas.headers import SENSOR_MS

VALUE_BYTES = 250
CommitGroup = Callable[[Sequence[Record]], None]


def make_records(count: int) -> list[Record]:
    """Records with a key, a header and a value that no store can compress away."""
    return [
        Record(f"lab/walker-{n % 50}/s-1/GRF".encode(), os.urandom(VALUE_BYTES), {SENSOR_MS: b"1760000000000"})
        for n in range(count)
    ]


def measure(records: Sequence[Record], group: int, commit: CommitGroup) -> tuple[float, float, float]:
    """Records a second, and the median and the 99th percentile of one group in ms."""
    taken_ms: list[float] = []
    begin_s = time.perf_counter()
    for first in range(0, len(records), group):
        group_begin_s = time.perf_counter()
        commit(records[first : first + group])
        taken_ms.append((time.perf_counter() - group_begin_s) * 1_000)
    duration_s = time.perf_counter() - begin_s
    taken_ms.sort()
    return len(records) / duration_s, taken_ms[len(taken_ms) // 2], taken_ms[int(len(taken_ms) * 0.99)]


def spool_commit(directory: Path) -> CommitGroup:
    """A group in the spool."""
    spool = Spool.open(SpoolSettings(directory=directory / "spool", min_free_bytes=0, max_bytes=2**33))

    def commit(group: Sequence[Record]) -> None:
        spool.append(group)
        spool.commit()

    return commit


def sqlite_commit(directory: Path) -> CommitGroup:
    """A group in one transaction of a table with an integer key."""
    connection = sqlite3.connect(directory / "queue.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE q (position INTEGER PRIMARY KEY, append_ms, key BLOB, sensor_ms BLOB, value BLOB)")

    def commit(group: Sequence[Record]) -> None:
        now_ms = time.time_ns() // 1_000_000
        rows = [(now_ms, record.key, record.headers[SENSOR_MS], record.value) for record in group]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO q (append_ms, key, sensor_ms, value) VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    return commit


def floor_commit(directory: Path) -> CommitGroup:
    """The bytes alone."""
    descriptor = os.open(directory / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def commit(group: Sequence[Record]) -> None:
        os.write(descriptor, b"".join(record.key + record.value for record in group))
        os.fdatasync(descriptor)

    return commit


STORES: dict[str, Callable[[Path], CommitGroup]] = {
    "spool": spool_commit,
    "sqlite WAL, FULL": sqlite_commit,
    "one write and fdatasync": floor_commit,
}


def main() -> None:
    """Measure all stores in turn, `--rounds` times, and print every round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--group", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    records = make_records(options.records)
    print(f"{'store':<24} {'records/s':>10} {'median ms':>10} {'p99 ms':>8}   group of {options.group}")
    for _ in range(options.rounds):
        for name, make_commit in STORES.items():
            with tempfile.TemporaryDirectory(dir=options.directory) as directory:
                rate, median_ms, p99_ms = measure(records, options.group, make_commit(Path(directory)))
            print(f"{name:<24} {rate:>10,.0f} {median_ms:>10.2f} {p99_ms:>8.2f}")


if __name__ == "__main__":
    main()
