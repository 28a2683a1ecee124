"""The row of one session's features, where groups of them may be missing for reasons of their own."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.columns import Column
from schemas.rows import RowValues
from udfs.health_rows import RecordGroup
from udfs.named_features import named_features
from udfs.signals import SessionSignal


def session_columns(
    group: RecordGroup,
    signal: SessionSignal,
    features: Sequence[Column],
    values: Sequence[float],
    told: tuple[str, Sequence[str]],
) -> RowValues:
    """A session's row: its key and extent, what is missing, and the features by name.

    Args:
        group: in which the session arrived.
        signal: the session.
        features: the declarations.
        values: in their order, NaN where missing.
        told: the hash of the declarations, and "group:reason" of each group in which a feature is missing.
    """
    schema_hash, missing = told
    empty = all(value != value for value in values)  # noqa: PLR0124 - the test for NaN
    return (
        group.key._asdict()
        | {
            "session_start_ms": signal.start_us // 1000,
            "session_end_ms": -(-signal.end_us // 1000),
            "revision": signal.frames,
            "frames": signal.frames,
            "last_append_ms": group.last_append_ms,
            "sample_rate_hz": signal.sample_rate_hz,
            "feature_schema_hash": schema_hash,
            "quality": (missing[0] if missing else "empty") if empty else "ok",
            "missing": list(missing),
        }
        | named_features(features, values)
    )
