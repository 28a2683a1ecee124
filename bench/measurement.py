"""Measuring one contender at one size of the topic."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.cluster import PARTITIONS, Cluster
from bench.contenders import Contender
from bench.fill import Truth
from bench.sampling import Root, Sampler, Use
from bench.tally import Watch
from bench.topics import empty_topics

STUCK_S = 120.0
_POLL_S = 0.5
BROKER, STORE = "kafka", "clickhouse"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run.

    Attributes:
        letter, name: of the contender.
        workload: its name.
        frames: in the topic.
        seconds: from the start of the contender's first process to the arrival of its last row.
        problem: why its answers are not to be believed; None if they are right.
        use: memory and processor time by role, the broker's among them.
    """

    letter: str
    name: str
    workload: str
    frames: int
    seconds: float
    problem: str | None
    use: Use

    @property
    def whole_rate(self) -> float:
        """Frames per second with everything, start-up included."""
        return self.frames / self.seconds

    @property
    def cpu_s(self) -> float:
        """Processor seconds of the contender's own processes."""
        return self.use.cpu_s(without=(BROKER, STORE))

    @property
    def broker_cpu_s(self) -> float:
        """Processor seconds of the Kafka broker meanwhile."""
        return self.use.roles[BROKER].cpu_s


def measure(cluster: Cluster, contender: Contender, workload: str, truth: Truth) -> Measurement:
    """Runs a contender over the topic as it is now, from empty results to the last row."""
    empty_topics(cluster.endpoints.kafka_bootstrap, contender.outputs(), partitions=PARTITIONS)
    contender.prepare(cluster, truth)
    servers = [Root(server, cluster.pid(server), counts_memory=False) for server in (BROKER, STORE)]
    watch = contender.watch(cluster, truth)
    try:
        with Sampler(lambda: [*servers, *contender.roots()]) as sampler:
            started_s = time.monotonic()
            contender.start(cluster)
            problem = _await(contender, watch)
            seconds = time.monotonic() - started_s
        problem = problem or watch.problem() or contender.leftovers(cluster, truth)
    finally:
        watch.close()
        contender.stop(cluster)
    return Measurement(contender.letter, contender.name, workload, truth.frames, seconds, problem, sampler.use)


def _await(contender: Contender, watch: Watch) -> str | None:
    """Waits for the last row; returns why there will be none, if so."""
    moved_s, count = time.monotonic(), 0
    while not watch.poll(_POLL_S):
        failure = contender.failure()
        if failure:
            return failure
        if watch.count() > count:
            moved_s, count = time.monotonic(), watch.count()
        elif time.monotonic() - moved_s > STUCK_S:
            return f"nothing new for {STUCK_S:.0f} s at {count:,} records"
    return None
