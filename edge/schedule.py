"""When recordings are sent and which wall clock they carry.

A measurement is what stands behind one address: its recordings share a zero. Times of dated recordings are true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from edge.pace import AS_FAST_AS_POSSIBLE
from edge.recordings.recording import AnyRecording
from edge.settings import EdgeSettings

Addressed = tuple[str, AnyRecording]
"""A recording and the address under which it was named."""
_Measurement = tuple[str, bool]


class Place(NamedTuple):
    """Where a recording stands in time.

    Attributes:
        start_ms: wall clock in ms since the epoch at the recording's own zero.
        lag_s: sensor time from the beginning of the replay to the recording's first sample.
    """

    start_ms: int
    lag_s: float


def limit_measurements(recordings: Sequence[Addressed], limit_s: float) -> Iterator[Addressed]:
    """The first seconds of each measurement, counted from its first sample; a part that begins later is left out."""
    first_s = _first_samples(recordings)
    for address, recording in recordings:
        left_s = limit_s - (recording.start_s - first_s[_measurement(address, recording)])
        if left_s > 0.0:
            yield address, recording.first_seconds(left_s)


def place_recordings(recordings: Sequence[Addressed], settings: EdgeSettings, *, now_ms: int) -> list[Place]:
    """Places of recordings, in their order.

    Measurements begin together, or each when the one before has ended; dated ones keep their distances in time.

    Args:
        recordings: all of a replay.
        settings: start, speed and order.
        now_ms: wall clock at the beginning of the replay.
    """
    first_s = _first_samples(recordings)
    begins_s = _begins(recordings, first_s, one_after_another=settings.one_after_another)
    measurements = [_measurement(address, recording) for address, recording in recordings]
    lags_s = [
        begins_s[measurement] + recording.start_s - first_s[measurement]
        for measurement, (_, recording) in zip(measurements, recordings, strict=True)
    ]
    undated_s = [
        lag_s + recording.duration_s
        for lag_s, (_, recording) in zip(lags_s, recordings, strict=True)
        if not recording.dated
    ]
    behind_ms = now_ms - round(_gain(settings) * max(undated_s, default=0.0) * 1_000)
    earliest_s = _earliest_dated(first_s)

    def start_ms(measurement: _Measurement) -> int:
        if measurement[1]:
            return 0 if settings.start is None else round((settings.start.timestamp() - earliest_s) * 1_000)
        if settings.start is None:
            return behind_ms + round((begins_s[measurement] - first_s[measurement]) * 1_000)
        return round((settings.start.timestamp() + begins_s[measurement]) * 1_000)

    return [Place(start_ms(measurement), lag_s) for measurement, lag_s in zip(measurements, lags_s, strict=True)]


def _measurement(address: str, recording: AnyRecording) -> _Measurement:
    return address, recording.dated


def _first_samples(recordings: Iterable[Addressed]) -> dict[_Measurement, float]:
    """When each measurement begins by its own zero."""
    first_s: dict[_Measurement, float] = {}
    for address, recording in recordings:
        key = _measurement(address, recording)
        first_s[key] = min(first_s.get(key, recording.start_s), recording.start_s)
    return first_s


def _earliest_dated(first_s: dict[_Measurement, float]) -> float:
    return min((time_s for (_, dated), time_s in first_s.items() if dated), default=0.0)


def _begins(
    recordings: Iterable[Addressed], first_s: dict[_Measurement, float], *, one_after_another: bool
) -> dict[_Measurement, float]:
    """Sensor time from the beginning of the replay to that of each measurement."""
    if not one_after_another:
        earliest_s = _earliest_dated(first_s)
        return {key: time_s - earliest_s if key[1] else 0.0 for key, time_s in first_s.items()}
    lengths_s = dict.fromkeys(first_s, 0.0)
    for address, recording in recordings:
        key = _measurement(address, recording)
        end_s = recording.start_s - first_s[key] + recording.duration_s
        lengths_s[key] = max(lengths_s[key], end_s)
    begins_s, end_s = {}, 0.0
    for key, length_s in lengths_s.items():
        begins_s[key] = end_s
        end_s += length_s
    return begins_s


def _gain(settings: EdgeSettings) -> float:
    """What undated sensors gain on the clock in a second of sensor time, at `speed` x real time.

    Beginning that much before now, the last sample is taken when it is sent; a device whose clock runs ahead would be
    flagged.
    """
    return 1.0 if settings.speed == AS_FAST_AS_POSSIBLE else max(0.0, 1.0 - 1.0 / settings.speed)
