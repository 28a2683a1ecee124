"""Gathering: the frames of one key and longest-session bucket, until their arrival is idle."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment


def gather_sessions(job: JobEnvironment, name: str, frames: str, rowtime: str, aggregates: str) -> None:
    """Names a view with one row for each group of frames that arrived without an idle pause.

    Args:
        job: to which the view is added.
        name: of the view; its columns are record_key, bucket_ms and the aggregates.
        frames: a view with record_key, bucket_ms, a rowtime and what the aggregates take.
        rowtime: the name of that column; it must be the broker's append time.
        aggregates: SQL, `ARRAY_AGG(x) AS y, ...`.

    Time, state and grouping stay on the JVM; the vectorised function after this cuts the group into sessions.
    """
    idle = idle_interval(job.settings.session_idle_ms)
    job.view(
        name,
        f"""
        SELECT record_key, bucket_ms, {aggregates}
        FROM TABLE(SESSION(TABLE {frames} PARTITION BY (record_key, bucket_ms), DESCRIPTOR({rowtime}), {idle}))
        GROUP BY record_key, bucket_ms, window_start, window_end
        """,
    )


def idle_interval(idle_ms: int) -> str:
    """The gap of a session window in SQL."""
    return f"INTERVAL '{idle_ms / 1000:.3f}' SECOND(4, 3)"
