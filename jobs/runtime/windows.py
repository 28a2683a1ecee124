"""Windows: the frames of all sensors of a device's session in one stretch of sensor time, until arrival is idle."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.runtime.environment import JobEnvironment
from jobs.runtime.sessions import idle_interval
from schemas import headers
from udfs.windows import DAY_S, SHORT_WINDOWS_S, SLOW_FRAME_BYTES, WAVEFORM_S, Windowing


def gather_windows(job: JobEnvironment, name: str, source: str, windowing: Windowing) -> None:
    """Names a view with one row for each window whose arrival went idle.

    Columns: record_key (BYTES, the device's session and the domain), window_s, window_ms (where it begins),
    last_append, frame_values (ARRAY<BYTES>). Windows of sensor time are what a frame's header says, so a device's
    clock decides where its frames belong, and arrival alone when they are looked at: `Windowing.windows_of` in SQL.
    """
    job.view(
        f"{name}_frames",
        f"""
        SELECT REGEXP_REPLACE(text_key, '/[^/]*$', '/{windowing.key}') AS device_key,
               REGEXP_EXTRACT(text_key, '[^/]*$') AS sensor, record_value, append_time, sensor_ms
        FROM (SELECT DECODE(record_key, 'UTF-8') AS text_key, record_value, append_time,
                     CAST(DECODE(headers['{headers.SENSOR_MS}'], 'UTF-8') AS BIGINT) AS sensor_ms FROM {source})
        WHERE {" OR ".join(f"text_key LIKE '%/{sensor}'" for sensor in windowing.sensors)}
        """,
    )
    shorts = [_cut(f"{name}_frames", seconds) for seconds in SHORT_WINDOWS_S]
    size = "CHAR_LENGTH(DECODE(record_value, 'ISO-8859-1'))"
    slow = f"sensor IN ({_texts(windowing.day_sensors)}) AND {size} <= {SLOW_FRAME_BYTES}"
    cuts = [*shorts, _cut(f"{name}_frames", DAY_S, begins_ms=windowing.day_begins_ms) + f" WHERE {slow}"]
    if windowing.waveform_sensors:
        waveforms = f"sensor IN ({_texts(windowing.waveform_sensors)}) AND {size} > {SLOW_FRAME_BYTES}"
        cuts.append(_cut(f"{name}_frames", WAVEFORM_S) + f" WHERE {waveforms}")
    job.view(f"{name}_cut", " UNION ALL ".join(cuts))
    job.view(
        name,
        f"""
        SELECT ENCODE(device_key, 'UTF-8') AS record_key, window_s, window_ms,
               MAX(append_time) AS last_append, ARRAY_AGG(record_value) AS frame_values
        FROM TABLE(SESSION(TABLE {name}_cut PARTITION BY (device_key, window_s, window_ms), DESCRIPTOR(append_time),
                           {idle_interval(job.settings.window_idle_ms)}))
        GROUP BY device_key, window_s, window_ms, window_start, window_end
        """,
    )


def _cut(frames: str, window_s: int, *, begins_ms: int = 0) -> str:
    # Time since the last boundary; the length is added so that it is never negative.
    since = f"MOD(sensor_ms - {begins_ms} + {window_s * 1000}, {window_s * 1000})"
    return (
        f"SELECT device_key, record_value, append_time, {window_s} AS window_s, "
        f"sensor_ms - {since} AS window_ms FROM {frames}"
    )


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
