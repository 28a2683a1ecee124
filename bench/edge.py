"""The edge: how fast a reading is safe, what the spool takes and gives a second, what a backlog costs in memory.

Every commit waits for the disk (`fsync: group`), as in the agent.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from bench.ingestion import TARGET_P99_MS, measure
from bench.ingestion_load import Load
from bench.results import Target
from edge.agent.agent import Agent, Parts
from edge.agent.settings import AgentSettings
from edge.instant import Instant, InstantClock
from edge.interruption import Interruption
from edge.measurement import Samples
from edge.pace import SystemClock
from edge.senders.kafka import KafkaSender
from edge.senders.sender import Sender
from edge.sources.source import LiveSource, Outlet, Taken
from edge.spool.drain import Drain
from edge.spool.settings import DrainSettings, SpoolSettings
from edge.spool.spool import Spool
from edge.testing import MemorySender
from schemas.envelope import Record, RecordKey
from schemas.headers import SENSOR_MS

ACKNOWLEDGED_P99_MS = 25.0
READINGS_PER_S = 5_000
STEADY_S = 10.0
INTO_PER_S, OUT_PER_S = 100_000.0, 50_000.0
GROUP = 500
VALUE_BYTES = 250
BACKLOG_BYTES = 1024**3
BACKLOG_VALUE_BYTES = 6_400
MEMORY_MIB = 120.0
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class EdgeResult:
    """What was measured; None where it was not.

    Attributes:
        acknowledged_p50_ms, acknowledged_p99_ms: from taking a reading to its acknowledgement, at 5,000 a second.
        into_per_s: readings appended and committed in groups of 500.
        out_per_s: the same, read, sent to Kafka and acknowledged.
        memory_empty_mib, memory_backlog_mib: of an agent with an empty spool, and with 1 GB waiting in it.
        ingestion_p50_ms, ingestion_p99_ms: of 100 requests/s with 50 readings each.
    """

    acknowledged_p50_ms: float
    acknowledged_p99_ms: float
    into_per_s: float
    out_per_s: float
    memory_empty_mib: float
    memory_backlog_mib: float
    ingestion_p50_ms: float
    ingestion_p99_ms: float

    def targets(self) -> list[Target]:
        """What was to be reached."""
        return [
            Target(
                f"reading on disk and acknowledged, {READINGS_PER_S:,}/s: p99 at most {ACKNOWLEDGED_P99_MS:g} ms",
                f"{self.acknowledged_p99_ms:.1f} ms (median {self.acknowledged_p50_ms:.1f})",
                self.acknowledged_p99_ms <= ACKNOWLEDGED_P99_MS,
            ),
            _rate("into the spool", self.into_per_s, INTO_PER_S),
            _rate("from the spool into Kafka", self.out_per_s, OUT_PER_S),
            Target(
                f"memory of an agent with 1 GB waiting: under {MEMORY_MIB:g} MiB",
                f"{self.memory_backlog_mib:.0f} MiB (empty spool: {self.memory_empty_mib:.0f})",
                self.memory_backlog_mib < MEMORY_MIB,
            ),
            Target(
                f"ingestion, 100 requests/s x 50 readings: p99 at most {TARGET_P99_MS:g} ms",
                f"{self.ingestion_p99_ms:.1f} ms (median {self.ingestion_p50_ms:.1f})",
                self.ingestion_p99_ms <= TARGET_P99_MS,
            ),
        ]


def _rate(what: str, rate: float, wanted: float) -> Target:
    return Target(f"readings {what}: at least {wanted:,.0f}/s", f"{rate:,.0f}/s", rate >= wanted)


def measure_edge(bootstrap: str, topic: str) -> EdgeResult:
    """All of it, on a disk and before a running Kafka with this topic."""
    acknowledged_ms = _acknowledged_ms()
    into_per_s, out_per_s = _through_the_spool(bootstrap, topic)
    empty_mib, backlog_mib = _memory_mib()
    ingestion = measure(bootstrap, topic, Load())
    p50_ms, p99_ms = np.percentile(acknowledged_ms, [50, 99])
    return EdgeResult(
        float(p50_ms),
        float(p99_ms),
        into_per_s,
        out_per_s,
        empty_mib,
        backlog_mib,
        ingestion.p50_ms,
        ingestion.p99_ms,
    )


class SteadySource:
    """Gives readings evenly, and notes how long each took to be acknowledged."""

    name = "steady"

    def __init__(self) -> None:
        self.waits_ms: list[float] = []

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """See `edge.sources.source.LiveSource`."""
        begin_s = time.perf_counter()
        for number in range(round(READINGS_PER_S * STEADY_S)):
            due_s = begin_s + number / READINGS_PER_S
            while (rest_s := due_s - time.perf_counter()) > 0.0:
                if stop.wait(rest_s):
                    return
            outlet.put(self._taken(number))

    def _taken(self, number: int) -> Taken:
        taken_s = time.perf_counter()

        def acknowledge() -> None:
            self.waits_ms.append((time.perf_counter() - taken_s) * 1_000)

        values = np.array([[20.0 + number % 100 / 10]])
        measurement = Samples("TEMP", ("value",), "degC", 0.0, time.time_ns() // 1_000, values)
        now = Instant(time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000, synchronised=True)
        return Taken(f"meter-{number % 20}", measurement, now, timed_by_device=True, acknowledge=acknowledge)


def _acknowledged_ms() -> list[float]:
    source = SteadySource()
    with tempfile.TemporaryDirectory() as folder:
        _agent(Path(folder), [source], MemorySender()).run(Interruption())
    return source.waits_ms


def _agent(folder: Path, sources: Sequence[LiveSource], sender: Sender) -> Agent:
    synthetic = {"kind": "synthetic", "name": "none", "device_id": "none", "sensors": [{"sensor_type": "TEMP"}]}
    settings = AgentSettings(sources=(synthetic,), spool={"directory": folder})
    clock = InstantClock(SystemClock(), lambda: True)
    return Agent(settings, Parts(sources, lambda: sender, "bench", clock))


def _records(count: int, value_bytes: int) -> list[Record]:
    values = np.random.default_rng(1).bytes(value_bytes)
    keys = [RecordKey("bench", f"meter-{number}", "s", "TEMP").to_bytes() for number in range(20)]
    return [
        Record(keys[number % 20], number.to_bytes(8, "little") + values[8:], {SENSOR_MS: b"1760000000000"})
        for number in range(count)
    ]


def _through_the_spool(bootstrap: str, topic: str) -> tuple[float, float]:
    count = 200_000
    records = _records(count, VALUE_BYTES)
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool.open(SpoolSettings(directory=Path(folder)), clock=clock)
        begin_s = time.perf_counter()
        for first in range(0, count, GROUP):
            spool.append(records[first : first + GROUP])
            spool.commit()
        into_per_s = count / (time.perf_counter() - begin_s)

        def make_sender() -> Sender:
            config = {"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 5}
            return KafkaSender(config, topic=topic, clock=clock, interruption=Interruption())

        drain = Drain(spool, make_sender, DrainSettings(), clock=clock)
        begin_s = time.perf_counter()
        drain.run(lambda: spool.stats().depth_records > 0)
        out_per_s = count / (time.perf_counter() - begin_s)
        drain.close(10.0)
        spool.close()
    return into_per_s, out_per_s


def _memory_mib() -> tuple[float, float]:
    """Resident memory of this process's child: an agent that opens an empty spool, and one that opens a full one."""
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        spool = Spool.open(SpoolSettings(directory=full, max_bytes=4 * BACKLOG_BYTES, min_free_bytes=0))
        records = _records(GROUP, BACKLOG_VALUE_BYTES)
        for _ in range(BACKLOG_BYTES // (GROUP * BACKLOG_VALUE_BYTES)):
            spool.append(records)
            spool.commit()
        spool.close()
        return _resident_mib(empty), _resident_mib(full)


def _resident_mib(directory: Path) -> float:
    """The most that `brain-edge run` has in 5 s of sending nowhere: a port where nobody listens."""
    config = directory.with_suffix(".yaml")
    sensors = "[{sensor_type: TEMP}]"
    config.write_text(
        f"spool: {{directory: {directory}, max_bytes: {4 * BACKLOG_BYTES}, min_free_bytes: 0}}\n"
        "kafka: {bootstrap_servers: '127.0.0.1:9'}\n"
        f"sources: [{{kind: synthetic, name: s, device_id: d, sensors: {sensors}}}]\n"
    )
    command = [str(Path(sys.executable).with_name("brain-edge")), "run", "--config", str(config)]
    child = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0.0
    try:
        deadline_s = time.monotonic() + 8.0
        while time.monotonic() < deadline_s and child.is_running():
            most = max(most, child.memory_info().rss / _MIB)
            time.sleep(0.2)
    finally:
        child.terminate()
        child.wait(30)
    return most
