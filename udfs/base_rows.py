"""features-base: the statistics of every channel of any session, with the ratios that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.rows import SESSION_EXTENT, SESSION_KEY, RowValues
from schemas.sensors import SENSORS

_SHARED = tuple(column.name for column in (*SESSION_KEY, *SESSION_EXTENT))


def derive_base_features(sessions: Sequence[RowValues]) -> list[list[RowValues]]:
    """The `features-base` rows of each `session-features` row: one for each of its channels.

    rms = sqrt(mean^2 + std^2); crest factor = max(|min|, |max|) / rms (a sine has 1.4142); cv = 100 std / |mean|;
    range used = 100 (max - min) / (valid_max - valid_min) of the sensor. A ratio to zero is missing.
    """
    lengths = [len(session["channels"]) for session in sessions]
    mean, std, least, greatest = (
        np.concatenate([np.asarray(session[name], dtype=np.float64) for session in sessions])
        if sessions
        else np.empty(0)
        for name in ("channel_mean", "channel_std", "channel_min", "channel_max")
    )
    sensors = [SENSORS[session["sensor_type"]] for session in sessions]
    span = np.repeat([sensor.valid_max - sensor.valid_min for sensor in sensors], lengths)
    rms = np.sqrt(np.square(mean) + np.square(std))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "mean": mean,
            "std": std,
            "rms": rms,
            "min": least,
            "max": greatest,
            "peak_to_peak": greatest - least,
            "crest_factor": np.where(rms > 0, np.maximum(np.abs(least), np.abs(greatest)) / rms, np.nan),
            "cv_pct": np.where(mean != 0, 100 * std / np.abs(mean), np.nan),
            "range_used_pct": 100 * (greatest - least) / span,
        }
    rows: list[list[RowValues]] = []
    position = 0
    for session, sensor in zip(sessions, sensors, strict=True):
        shared = {name: session[name] for name in _SHARED} | {"unit": sensor.unit}
        rows.append(
            [
                shared | {"channel": channel} | {name: values[position + index] for name, values in columns.items()}
                for index, channel in enumerate(session["channels"])
            ]
        )
        position += len(session["channels"])
    return rows
