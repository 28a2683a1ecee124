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


@dataclass(frozen=True, slots=True)
class SessionFrames:
    """The distinct frames of one session in the order of sensor time.

    Attributes:
        frames: opened.
        extents: their start_us, end_us and sample_rate_hz, shape [frames].
    """

    frames: list[SampleFrame]
    extents: NDArray[np.void]


def assemble_signals(key: RecordKey, values: Sequence[bytes]) -> list[SessionSignal]:
    """The sessions among the frames of one key, by the same rules as `udfs.sessions`; what is no frame is left out."""
    return [join_frames(session) for session in sessions_of_frames(key, values)]


def sessions_of_frames(key: RecordKey, values: Sequence[bytes]) -> list[SessionFrames]:
    """The frames of each session; see `assemble_signals`."""
    opened = [frame for value in values if (frame := read_frame(value)) is not None]
    if not opened:
        return []
    extents = _extents(opened)
    cut = cut_sessions(extents, np.zeros(len(extents), dtype=np.intp), SENSORS[key.sensor_type].session_gap_ms * 1000)
    runs = np.split(cut.order, cut.starts[1:])
    return [SessionFrames([opened[index] for index in run], extents.take(run)) for run in runs]


def _extents(opened: Sequence[SampleFrame]) -> NDArray[np.void]:
    frames = np.zeros(len(opened), dtype=summary_dtype(0))
    events = np.frombuffer(b"".join(frame.event for frame in opened), dtype=">u8").reshape(-1, 2)
    frames["event_high"], frames["event_low"] = events[:, 0], events[:, 1]
    frames["start_us"] = [frame.block.start_us for frame in opened]
    frames["end_us"] = frames["start_us"] + np.array([frame.layout.duration_us for frame in opened])
    frames["sample_rate_hz"] = [frame.layout.sample_rate_hz for frame in opened]
    return frames


def join_frames(session: SessionFrames) -> SessionSignal:
    """The session as a signal; it has no samples where its frames have no rate, or several."""
    opened, extents = session.frames, session.extents
    start_us, end_us = int(extents["start_us"][0]), int(extents["end_us"].max())
    rates = extents["sample_rate_hz"]
    if rates[0] <= 0 or np.any(rates != rates[0]):
        nothing = np.empty((0, len(opened[0].layout.sensor.channels)))
        return SessionSignal(start_us, end_us, len(opened), math.nan, nothing)
    rate = float(rates[0])
    samples = place_samples(opened, grid_rows(extents["start_us"], rate))
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
