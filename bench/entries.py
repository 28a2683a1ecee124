"""Who competes on which workload."""

from __future__ import annotations

from collections.abc import Collection

from bench.bytewax_contender import Bytewax
from bench.contenders import Contender, PlainLoop
from bench.flink_contenders import READINGS_BATCH, WAVEFORMS_BATCH, FrameFilter, KeyedProcess, Sessionizer
from bench.ingest_contender import Ingest
from bench.workloads import SCALAR, WAVEFORM, WORKLOADS, Workload

LETTERS = ("a", "b", "c", "d", "e", "f", "g", "h")
OURS = {"a": SCALAR, "b": WAVEFORM, "c": SCALAR, "g": SCALAR, "h": WAVEFORM}
"""Our contenders have one workload each; the peers do whatever is being measured of ours."""


def workloads_of(letters: Collection[str]) -> list[Workload]:
    """The workloads of the chosen contenders of ours, or all if only peers are chosen."""
    chosen = [workload for letter, workload in OURS.items() if letter in letters]
    return [workload for workload in WORKLOADS if workload in chosen or not chosen]


def field(letters: Collection[str], workload: Workload) -> list[Contender]:
    """The chosen contenders on a workload, in the order of the table."""
    everyone: list[Contender] = [
        Sessionizer("a", READINGS_BATCH),
        Sessionizer("b", WAVEFORMS_BATCH),
        FrameFilter("g", READINGS_BATCH),
        FrameFilter("h", WAVEFORMS_BATCH),
        Ingest(),
        Bytewax(),
        PlainLoop(),
        KeyedProcess(),
    ]
    return [
        contender
        for contender in everyone
        if contender.letter in letters and OURS.get(contender.letter, workload) == workload
    ]
