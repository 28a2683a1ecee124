"""From runs to figures: marginal rates, ratios, and whether the targets are reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measurement import Measurement
from bench.sampling import PYTHON_WORKER

MIB = 1024 * 1024
MILLION = 1_000_000

SCALAR_RATE, SCALAR_RATIO = 150_000.0, 4.0
WAVEFORM_RATIO = 1.2
INGEST_RATE = 150_000.0
WORKER_MIB = 1.5 * 1024
FLAT_GROWTH = 1.25
"""Ten times the length may need so much more memory: a heap fluctuates, a leak would grow ninefold."""


@dataclass(frozen=True, slots=True)
class Result:
    """A contender on a workload: its smaller and its larger run.

    The marginal figures are differences between the two, so that what happens once (start-up) cancels out.
    """

    small: Measurement
    large: Measurement

    @property
    def problem(self) -> str | None:
        """What is wrong with either run."""
        return self.small.problem or self.large.problem

    @property
    def marginal_rate(self) -> float | None:
        """Frames per second once running; None if the runs are too short to tell."""
        seconds = self.large.seconds - self.small.seconds
        return self._more_frames / seconds if seconds > 0 else None

    @property
    def cpu_s_per_million(self) -> float:
        """Marginal processor seconds of the contender's processes per million frames."""
        return (self.large.cpu_s - self.small.cpu_s) / self._more_frames * MILLION

    @property
    def broker_cpu_s_per_million(self) -> float:
        """The same of the Kafka broker."""
        return (self.large.broker_cpu_s - self.small.broker_cpu_s) / self._more_frames * MILLION

    @property
    def _more_frames(self) -> int:
        return self.large.frames - self.small.frames

    def role_mib(self, role: str) -> float | None:
        """The most memory that one process of a role had in the larger run; None without such processes."""
        use = self.large.use.roles.get(role)
        return use.largest_bytes / MIB if use else None

    @property
    def python_mib(self) -> float | None:
        """The largest Python process that does the contender's work."""
        return self.role_mib(PYTHON_WORKER) or self.role_mib("process")


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach, and what was measured; `reached` is None where it was not measured."""

    text: str
    measured: str
    reached: bool | None


def pair_runs(measurements: Sequence[Measurement]) -> list[Result]:
    """The results by workload and letter: of each contender the variant that was taken to the larger size."""
    last: dict[tuple[str, str], Measurement] = {(run.workload, run.letter): run for run in measurements}
    results = []
    for large in last.values():
        earlier = [
            run
            for run in measurements
            if (run.workload, run.letter, run.name) == (large.workload, large.letter, large.name)
            and run.frames < large.frames
        ]
        if earlier:
            results.append(Result(earlier[0], large))
    workloads = list(dict.fromkeys(run.workload for run in measurements))
    return sorted(results, key=lambda result: (workloads.index(result.large.workload), result.large.letter))


def check_targets(results: Sequence[Result]) -> list[Target]:
    """Every target that the run says something about."""
    by_place = {(result.large.letter, result.large.workload): result for result in results}
    ours_scalar, ours_waveform = by_place.get(("a", "scalar")), by_place.get(("b", "waveform"))
    ingest = by_place.get(("c", "scalar"))
    targets = []
    if ours_scalar:
        targets.append(_rate_target("(a) scalar frames", ours_scalar, SCALAR_RATE))
        targets.append(
            _ratio_target("(a) / (d) scalar frames", ours_scalar, by_place.get(("d", "scalar")), SCALAR_RATIO)
        )
    if ours_waveform:
        peer = by_place.get(("d", "waveform"))
        targets.append(_ratio_target("(b) / (d) waveform frames", ours_waveform, peer, WAVEFORM_RATIO))
    if ingest:
        targets.append(_rate_target("(c) rows into ClickHouse", ingest, INGEST_RATE))
    targets += [_memory_target(result) for result in (ours_scalar, ours_waveform, ingest) if result]
    return targets


def _rate(result: Result | None) -> float | None:
    return None if result is None or result.problem else result.marginal_rate


def _rate_target(what: str, result: Result, wanted: float) -> Target:
    rate = _rate(result)
    text = f"{what}: at least {wanted:,.0f}/s"
    return Target(text, "not measured" if rate is None else f"{rate:,.0f}/s", None if rate is None else rate >= wanted)


def _ratio_target(what: str, ours: Result, peer: Result | None, wanted: float) -> Target:
    rate, other = _rate(ours), _rate(peer)
    text = f"{what}: at least {wanted:g} x"
    if rate is None or other is None:
        return Target(text, "not measured", None)
    return Target(text, f"{rate / other:.2f} x", rate / other >= wanted)


def _memory_target(result: Result) -> Target:
    mib = result.python_mib
    text = f"({result.large.letter}) Python worker: under {WORKER_MIB:,.0f} MiB"
    return Target(text, "not measured" if mib is None else f"{mib:,.0f} MiB", None if mib is None else mib < WORKER_MIB)


def check_flatness(result: Result) -> list[Target]:
    """Memory of the longer run against the shorter one, role by role."""
    targets = []
    for role in (PYTHON_WORKER, "taskmanager"):
        if role not in result.large.use.roles or role not in result.small.use.roles:
            continue
        short, long = (run.use.roles[role].largest_bytes / MIB for run in (result.small, result.large))
        growth = result.large.frames / result.small.frames
        targets.append(
            Target(
                f"{role}: flat while the run gets {growth:.0f} x longer (at most {FLAT_GROWTH:g} x)",
                f"{short:,.0f} -> {long:,.0f} MiB",
                long <= short * FLAT_GROWTH,
            )
        )
    return targets
