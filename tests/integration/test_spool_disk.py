"""The spool on a disk that is really full, and under real kills."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.spool.errors import SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.settings import SpoolSettings
from edge.spool.spool import Spool
from stack.home import REPOSITORY
from tests.unit.edge.spool.builders import make_records

pytestmark = pytest.mark.integration

KIB, MIB = 1024, 1024**2


def _settings(directory: Path) -> SpoolSettings:
    return SpoolSettings(
        directory=directory, segment_bytes=512 * KIB, max_bytes=64 * MIB, min_free_bytes=0, keep_acknowledged_s=0.0
    )


def _fill_until_full(spool: Spool) -> int:
    """Append until a commit fails; returns the end of what was acknowledged to the source."""
    acknowledged = spool.durable_end
    with pytest.raises(SpoolFull):
        while True:
            spool.append(make_records(acknowledged, 100, 1_000))
            acknowledged = spool.commit()
    return acknowledged


def _fill_disk(path: Path) -> None:
    """Another program writes until the disk is full."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1_000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root; the test with RLIMIT_FSIZE runs instead")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mount is not allowed here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_durable_and_it_goes_on(small_disk: Path) -> None:
    spool = Spool.open(_settings(small_disk / "spool"))
    spool.append(make_records(0, 1_000, 1_000))
    assert spool.commit() == 1_000
    spool.append(make_records(1_000, 100, 1_000))
    _fill_disk(small_disk / "ballast")
    for _ in range(3):
        with pytest.raises(SpoolFull, match="No space left on device"):
            spool.commit()
    assert (spool.durable_end, len(spool.read(0, 10_000).records)) == (1_000, 1_000)
    # Sending goes on meanwhile: the cursor has its room.
    spool.hand_out(0, 10)
    spool.acknowledge(IntervalSet([(0, 10)]))
    spool.save_cursor()
    (small_disk / "ballast").unlink()
    assert spool.commit() == 1_100
    spool.close()
    spool = Spool.open(_settings(small_disk / "spool"))
    assert (list(spool.unsettled()), spool.stats().lost) == ([(10, 1_100)], 0)
    assert [spooled.record for spooled in spool.read(0, 10_000).records] == make_records(0, 1_100, 1_000)
    spool.close()


def test_files_that_may_not_grow_are_a_full_disk(tmp_path: Path) -> None:
    """In a child of its own, because the limit holds for the whole process."""
    script = (
        "import sys; from pathlib import Path; from tests.integration.test_spool_disk import fill_within_limit;"
        "fill_within_limit(Path(sys.argv[1]))"
    )
    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "spool")],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    acknowledged = int(child.stdout)
    assert 100 <= acknowledged < 200
    spool = Spool.open(_settings(tmp_path / "spool"))
    records = [spooled.record for spooled in spool.read(0, 10_000).records]
    assert records[:acknowledged] == make_records(0, acknowledged, 1_000)
    assert spool.stats().lost == 0
    spool.close()


def fill_within_limit(directory: Path) -> None:
    """The child: no file may grow beyond 200 KiB, less than a segment."""
    spool = Spool.open(_settings(directory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200 * KIB, 200 * KIB))
    print(_fill_until_full(spool))
    sys.stdout.flush()
    os._exit(0)


def test_kills_at_random_moments_lose_double_and_alter_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos.spool_kills", "--kills", "20", "--seed", "3"]
    run = subprocess.run(
        [*command, "--directory", str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(run.stdout)
    assert {name: report[name] for name in ("lost", "duplicated", "altered", "phantom")} == {
        "lost": 0,
        "duplicated": 0,
        "altered": 0,
        "phantom": 0,
    }
    assert (run.returncode, report["kills"]) == (0, 20)
    assert report["acknowledged"] > 100
