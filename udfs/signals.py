"""Signals: the frames of a session put back into one evenly spaced array, with NaN where a frame is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import RecordKey
from schemas.samples import decode_samples
from schemas.sensors import SENSORS
from udfs.layouts import MICROSECONDS
from udfs.records import SampleFrame, read_frame
from udfs.sessions import cut_sessions
from udfs.summaries import summary_dtype


@dataclass(frozen=True, slots=True)
class SessionSignal:
    """One session as a signal.

    Attributes:
        start_us, end_us: of the first sample and of the end of the last one's period, in sensor time.
        frames: distinct frames behind it.
        sample_rate_hz: NaN if its frames differ in rate; then `samples` is empty.
        samples: shape [n, catalogue channels], NaN where a frame or a channel is missing.
    """

    start_us: int
    end_us: int
    frames: int
    sample_rate_hz: float
    samples: NDArray[np.float64]


def assemble_signals(key: RecordKey, values: Sequence[bytes]) -> list[SessionSignal]:
    """The sessions among the frames of one key, by the same rules as `udfs.sessions`; what is no frame is left out."""
    sensor = SENSORS[key.sensor_type]
    opened = [frame for value in values if (frame := read_frame(value)) is not None]
    if not opened:
        return []
    frames = _extents(opened)
    cut = cut_sessions(frames, np.zeros(len(frames), dtype=np.intp), sensor.session_gap_ms * 1000)
    return [_join([opened[index] for index in run], frames.take(run)) for run in np.split(cut.order, cut.starts[1:])]


def _extents(opened: Sequence[SampleFrame]) -> NDArray[np.void]:
    frames = np.zeros(len(opened), dtype=summary_dtype(0))
    events = np.frombuffer(b"".join(event for _, _, event, _ in opened), dtype=">u8").reshape(-1, 2)
    frames["event_high"], frames["event_low"] = events[:, 0], events[:, 1]
    frames["start_us"] = [block.start_us for _, block, _, _ in opened]
    frames["end_us"] = frames["start_us"] + np.array([layout.duration_us for layout, _, _, _ in opened])
    frames["sample_rate_hz"] = [layout.sample_rate_hz for layout, _, _, _ in opened]
    return frames


def _join(opened: Sequence[SampleFrame], frames: NDArray[np.void]) -> SessionSignal:
    start_us, end_us = int(frames["start_us"][0]), int(frames["end_us"].max())
    rates = frames["sample_rate_hz"]
    if rates[0] <= 0 or np.any(rates != rates[0]):
        nothing = np.empty((0, len(opened[0].layout.sensor.channels)))
        return SessionSignal(start_us, end_us, len(opened), math.nan, nothing)
    rate = float(rates[0])
    samples = place_samples(opened, grid_rows(frames["start_us"], rate))
    return SessionSignal(start_us, end_us, len(opened), rate, samples)


def grid_rows(start_us: NDArray[np.int64], sample_rate_hz: float) -> NDArray[np.int64]:
    """Where the first sample of each frame lies, in samples after that of the first frame; shape [frames]."""
    rows: NDArray[np.int64] = np.rint((start_us - start_us[0]) * sample_rate_hz / MICROSECONDS).astype(np.int64)
    return rows


def place_samples(frames: Sequence[SampleFrame], first_rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The samples of frames of one sensor, each from its row on: [rows, catalogue channels], NaN where none is."""
    lengths = np.array([frame.layout.samples for frame in frames])
    samples = np.full((int((first_rows + lengths).max()), len(frames[0].layout.sensor.channels)), np.nan)
    for first, frame in zip(first_rows.tolist(), frames, strict=True):
        samples[first : first + frame.layout.samples, frame.layout.columns] = decode_samples(frame.block)
    return samples
