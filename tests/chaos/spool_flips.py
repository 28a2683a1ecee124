"""One flipped bit at a random place of a store: what can still be read? The spool and SQLite in turn.

    python -m tests.chaos.spool_flips --flips 2000 --seed 1

Both hold the same records. `unread` are records that do not come back, `altered` come back with other bytes and no
word, `refused` counts the flips after which the store could not be read to its end. Prints one JSON line for each.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge.spool.settings import SpoolSettings
from edge.spool.spool import Spool
from schemas.envelope import Record
from tests.chaos.spool_speed import make_records, spool_commit, sqlite_commit

COUNT, GROUP = 2_000, 100
Found = dict[int, tuple[bytes, bytes]]


def read_spool(directory: Path) -> tuple[Found, bool]:
    """Key and value by position, and whether the end was reached."""
    spool = Spool.open(SpoolSettings(directory=directory / "spool", min_free_bytes=0, max_bytes=2**33))
    batch = spool.read(0, 2 * COUNT)
    spool.close()
    return {at.position: (at.record.key, at.record.value) for at in batch.records}, True


def read_sqlite(directory: Path) -> tuple[Found, bool]:
    """The same of the table, row by row, as far as it goes."""
    found: Found = {}
    connection = sqlite3.connect(directory / "queue.db")
    try:
        for position, key, sensor_ms, value in connection.execute("SELECT position, key, sensor_ms, value FROM q"):
            found[position - 1] = (key, value if sensor_ms == b"1760000000000" else b"")
    except sqlite3.DatabaseError:
        return found, False
    finally:
        connection.close()
    return found, True


STORES: dict[str, tuple[Callable[..., Callable[..., None]], Callable[[Path], tuple[Found, bool]], str]] = {
    "spool": (spool_commit, read_spool, "*.seg"),
    "sqlite": (sqlite_commit, read_sqlite, "*.db"),
}


def run(store: str, flips: int, dice: random.Random) -> dict[str, object]:
    """Flip one bit of the data file of a fresh copy, `flips` times."""
    make_commit, read, pattern = STORES[store]
    records = make_records(COUNT)
    report = {"store": store, "flips": flips, "records": COUNT, "unread": 0, "altered": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as directory:
        original = _filled(Path(directory) / "original", make_commit, records)
        (file,) = original.rglob(pattern)
        for _ in range(flips):
            copy = Path(directory) / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(original, copy)
            _flip(copy / file.relative_to(original), dice)
            found, complete = read(copy)
            report["refused"] += not complete
            report["unread"] += sum(n not in found for n in range(COUNT))
            report["altered"] += sum(n in found and found[n] != (r.key, r.value) for n, r in enumerate(records))
            report["altered"] += sum(not 0 <= n < COUNT for n in found)
    return report


def _filled(directory: Path, make_commit: Callable[..., Callable[..., None]], records: list[Record]) -> Path:
    directory.mkdir()
    commit = make_commit(directory)
    for first in range(0, COUNT, GROUP):
        commit(records[first : first + GROUP])
    if (directory / "queue.db").exists():
        connection = sqlite3.connect(directory / "queue.db")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return directory


def _flip(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for store in STORES:
        print(json.dumps(run(store, options.flips, random.Random(options.seed)) | {"seed": options.seed}))


if __name__ == "__main__":
    main()
