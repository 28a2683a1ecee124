"""Frame summaries: what the sessionizer keeps of a frame, a fixed-size record of its extent and moments.

A frame of 100 x 16 samples shrinks from 6.4 kB to under 600 B before it enters window state, and the
session's statistics come from merging these records, not from the samples.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FLAG_RESENT = 1
FLAG_CLOCK_AHEAD = 2
FLAG_CLOCK_UNSET = 4
FLAG_FIRST_BUCKET = 8


@cache
def summary_dtype(channel_count: int) -> np.dtype[np.void]:
    """The record of one frame of a sensor with `channel_count` catalogue channels.

    Fields: event (the two halves of the 128-bit event id), start_us, end_us (start of the first sample and end of
    the last one's period), sample_rate_hz, samples (per channel), flags, append_ms, and per channel count, mean,
    m2 (sum of squared deviations from the mean), min, max. A channel that the frame lacks has count 0.
    """
    per_channel = (channel_count,)
    return np.dtype(
        [
            ("event_high", "<u8"),
            ("event_low", "<u8"),
            ("start_us", "<i8"),
            ("end_us", "<i8"),
            ("append_ms", "<i8"),
            ("sample_rate_hz", "<f8"),
            ("samples", "<u4"),
            ("flags", "<u4"),
            ("count", "<u4", per_channel),
            ("mean", "<f8", per_channel),
            ("m2", "<f8", per_channel),
            ("min", "<f8", per_channel),
            ("max", "<f8", per_channel),
        ]
    )


def pack_summaries(records: NDArray[np.void]) -> list[bytes]:
    """One bytes object per record, shape [n] -> n x itemsize bytes."""
    return records.view(f"V{records.dtype.itemsize}").tolist() if len(records) else []


def unpack_summaries(packed: list[bytes], channel_count: int) -> NDArray[np.void]:
    """The inverse of `pack_summaries`."""
    return np.frombuffer(b"".join(packed), dtype=summary_dtype(channel_count))


class Extremes(NamedTuple):
    """Least and greatest value, each of shape [frames, channels]."""

    least: NDArray[np.float64]
    greatest: NDArray[np.float64]


class Moments(NamedTuple):
    """How many samples, their mean and the sum of squared deviations from it, of shape [frames, channels] each."""

    samples: int
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]


def frame_extremes(values: NDArray[np.float64]) -> Extremes:
    """The extremes of `values` [frames, channels, samples]; NaN where a sample is."""
    with np.errstate(invalid="ignore"):
        return Extremes(values.min(axis=2), values.max(axis=2))


def frame_moments(values: NDArray[np.float64]) -> Moments:
    """The moments of `values` [frames, channels, samples], two-pass: exact for a constant.

    Samples lie side by side, so each sum runs over them in one order, however many frames there are.
    """
    mean = values.mean(axis=2)
    deviation = values - mean[:, :, None]
    return Moments(values.shape[2], mean, np.square(deviation, out=deviation).sum(axis=2))


def fill_moments(records: NDArray[np.void], columns: NDArray[np.intp], moments: Moments, extremes: Extremes) -> None:
    """Writes what is known of frames; `columns` [channels] are the catalogue channels of their values."""
    frames = np.arange(len(records))[:, None]
    records["count"][frames, columns] = moments.samples
    records["mean"][frames, columns] = moments.mean
    records["m2"][frames, columns] = moments.m2
    records["min"][frames, columns] = extremes.least
    records["max"][frames, columns] = extremes.greatest


def merge_moments(
    records: NDArray[np.void], starts: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Merges runs of frames: count, mean and population standard deviation, each [runs, channels].

    Run i covers records[starts[i] : starts[i + 1]]. Chan, Golub and LeVeque (1979), pooled over all frames:
    M2 = sum m2_i + sum n_i (mean_i - mean)^2. A channel without samples has mean and deviation NaN.
    """
    count = records["count"].astype(np.float64)
    total = np.add.reduceat(count, starts, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(count * records["mean"], starts, axis=0) / total
        lengths = np.diff(np.append(starts, len(records)))
        deviation = records["mean"] - np.repeat(mean, lengths, axis=0)
        spread = np.where(count > 0, records["m2"] + count * np.square(deviation), 0.0)
        std = np.sqrt(np.add.reduceat(spread, starts, axis=0) / total)
    return total.astype(np.int64), mean, std
