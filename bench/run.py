"""A whole run: for every workload the topic is filled stage by stage, and the contenders take turns at each stage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.cluster import PARTITIONS, Cluster, Say
from bench.contenders import Contender
from bench.fill import NOTHING, Truth, fill
from bench.measurement import Measurement, measure
from bench.topics import await_heartbeats, empty_topics
from bench.workloads import Workload
from schemas.topics import Topic

IDLE_S = 5.0
"""What our jobs are set to: a key silent for so long by arrival has its session closed."""

_MARGIN_S = 1.0
_WARM_UPS = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """What all workloads of a run share.

    Attributes:
        cluster: on which everything runs.
        seed: of the values.
        say: told what is under way.
    """

    cluster: Cluster
    seed: int
    say: Say


@dataclass(slots=True)
class Run:
    """What a run has measured so far.

    Attributes:
        measurements: in the order in which they were made.
        fill_rates: (workload, frames, frames per second) of every filling of the topic.
    """

    measurements: list[Measurement] = field(default_factory=list)
    fill_rates: list[tuple[str, int, float]] = field(default_factory=list)


def run_workload(bench: Bench, workload: Workload, contenders: Sequence[Contender], run: Run) -> None:
    """Measures the contenders on one workload, each at its two stages, all on the same records."""
    bootstrap = bench.cluster.endpoints.kafka_bootstrap
    empty_topics(bootstrap, [Topic.RAWFRAMES.value], partitions=PARTITIONS)
    await_heartbeats(bootstrap, Topic.RAWFRAMES, after_s=0.0)
    truth, filled = NOTHING, 0
    entrants = {contender: contender.alternatives() for contender in contenders}
    for stage, sessions in enumerate(workload.stages):
        racing = [contender for contender in contenders if stage in contender.stages(workload)]
        truth += _extend(bench, workload, range(filled, sessions), run)
        filled = sessions
        for contender in racing:
            # A TaskManager may die of a cancellation (Beam): then the next one is cold again.
            for _ in range(_WARM_UPS):
                if contender.needs_warm_up(bench.cluster):
                    _warm_up(bench, contender, workload, truth)
            measured = [(_measure(bench, entrant, workload, truth), entrant) for entrant in entrants[contender]]
            run.measurements += [measurement for measurement, _ in measured]
            entrants[contender] = [_fastest(measured)]


def _extend(bench: Bench, workload: Workload, sessions: range, run: Run) -> Truth:
    """Adds sessions to the topic and waits until the watermark has passed the last of them."""
    bootstrap = bench.cluster.endpoints.kafka_bootstrap
    bench.say(f"{workload.name}: filling {Topic.RAWFRAMES} with {len(sessions):,} more sessions")
    started_s = time.monotonic()
    sent = fill(bootstrap, workload, sessions, seed=bench.seed)
    run.fill_rates.append((workload.name, sent.frames, sent.frames / (time.monotonic() - started_s)))
    await_heartbeats(bootstrap, Topic.RAWFRAMES, after_s=IDLE_S + _MARGIN_S)
    return sent


def _warm_up(bench: Bench, contender: Contender, workload: Workload, truth: Truth) -> None:
    bench.say(f"{workload.name}, {truth.frames:,} frames: ({contender.letter}) {contender.name}, warming up")
    measure(bench.cluster, contender, workload.name, truth)


def _measure(bench: Bench, entrant: Contender, workload: Workload, truth: Truth) -> Measurement:
    bench.say(f"{workload.name}, {truth.frames:,} frames: ({entrant.letter}) {entrant.name}")
    measurement = measure(bench.cluster, entrant, workload.name, truth)
    bench.say(f"  {measurement.seconds:.1f} s, {measurement.problem or 'answers right'}")
    return measurement


def _fastest(measured: Sequence[tuple[Measurement, Contender]]) -> Contender:
    """The quickest with right answers, or the quickest if none has them."""
    return min(measured, key=lambda pair: (pair[0].problem is not None, pair[0].seconds))[1]
