"""Cut a series of readings into evenly spaced recordings: a frame says when its samples are by start and rate alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from schemas.sensors import SENSORS

Floats = NDArray[np.float64]

_GAP_STEPS = 1.5
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._:-]")
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Spacing:
    """What counts as evenly spaced.

    Attributes:
        step_s: the step that the file claims.
        tolerance_s: how far a sample's place may lie from its own time stamp: about the resolution of the stamps.
    """

    step_s: float
    tolerance_s: float


def evenly_spaced(name: str, sensor_type: str, time_s: Floats, value: Floats, spacing: Spacing) -> list[Recording]:
    """The dated recordings of one sensor of one device; all have the same name and differ in `start_s`.

    A missing value (NaN) or a step of more than 1.5 claimed steps ends a recording. Every sample lies within the
    tolerance of its own time: where the claimed step does not keep that (or the stamps are too coarse to tell), the
    mean step of the part is used, and where that does not either, the part is divided.

    Args:
        name: of the device; characters that no identifier may have become `-`.
        sensor_type: a key of `schemas.sensors.SENSORS`.
        time_s: shape [n], ascending, s since the epoch.
        value: shape [n], in the sensor's unit, NaN where missing.
        spacing: of the file.
    """
    sensor = SENSORS[sensor_type]
    there = np.isfinite(value)
    # A missing value is a gap in time, however short.
    places = np.flatnonzero(there)
    times, values = time_s[there], value[there]
    breaks = (np.diff(places) > 1) | (np.diff(times) > _GAP_STEPS * spacing.step_s)
    cuts = [0, *(np.flatnonzero(breaks) + 1).tolist(), times.size]
    parts = [part for first, end in pairwise(cuts) for part in _even_parts(times, first, end, spacing)]
    return [
        Recording(
            name=_NOT_IN_NAMES.sub("-", name)[:_LONGEST_NAME],
            sensor_type=sensor_type,
            channels=sensor.channel_names,
            unit=sensor.unit,
            sample_rate_hz=1.0 / step_s,
            samples=values[first:end, None],
            start_s=float(times[first]),
            dated=True,
        )
        for first, end, step_s in parts
    ]


def _even_parts(time_s: Floats, first: int, end: int, spacing: Spacing) -> Iterator[tuple[int, int, float]]:
    """Parts of the samples first..end, each with its step; at worst single samples."""
    waiting = [(first, end)]
    while waiting:
        first, end = waiting.pop()
        if first == end:
            continue
        inside = time_s[first:end]
        mean_step_s = float(inside[-1] - inside[0]) / max(end - first - 1, 1)
        coarse = spacing.tolerance_s >= spacing.step_s / 2.0 and mean_step_s > 0.0
        candidates = (mean_step_s,) if coarse else (spacing.step_s, mean_step_s)
        steps_s = [step_s for step_s in candidates if step_s > 0.0]
        off_s = [np.abs(inside - inside[0] - np.arange(end - first) * step_s) for step_s in steps_s]
        fitting = [step_s for step_s, off in zip(steps_s, off_s, strict=True) if off.max() <= spacing.tolerance_s]
        if fitting:
            yield first, end, fitting[0]
            continue
        # Later part first onto the stack: the parts come out in order of time.
        middle = first + max(1, min(int(off_s[-1].argmax()), end - first - 1))
        waiting += [(middle, end), (first, middle)]
