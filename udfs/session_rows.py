"""What the feature rows of all kinds of sessions share: the records they come from, key and extent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Column
from schemas.envelope import RecordKey
from schemas.feature_schema import feature_schema_hash
from schemas.rows import RowValues
from udfs.named_features import described_features
from udfs.signals import SessionSignal, assemble_signals

ExtractSessions = Callable[[str, Sequence[SessionSignal]], tuple[NDArray[np.float64], list[tuple[str, ...]]]]
"""Sensor type and sessions to values [m, k] and, for each session, "group:reason" of what is missing."""


@dataclass(frozen=True, slots=True)
class RecordGroup:
    """The records of one key and longest-session bucket that arrived without an idle pause.

    Attributes:
        key: of all of them.
        last_append_ms: the broker's append time of the last one.
        values: sealed envelopes, in any order, duplicates included.
    """

    key: RecordKey
    last_append_ms: int
    values: Sequence[bytes]


def session_extent(group: RecordGroup, signal: SessionSignal) -> RowValues:
    """Key and extent of a session, and its rate: the columns `SESSION_KEY` and `SESSION_EXTENT` of `schemas.rows`."""
    return group.key._asdict() | {
        "session_start_ms": signal.start_us // 1000,
        "session_end_ms": -(-signal.end_us // 1000),
        "revision": signal.frames,
        "frames": signal.frames,
        "last_append_ms": group.last_append_ms,
        "sample_rate_hz": signal.sample_rate_hz,
    }


def describe_sessions(
    groups: Sequence[RecordGroup], features: Sequence[Column], extract: ExtractSessions
) -> list[list[RowValues]]:
    """The rows of each group: one for each session in it.

    Args:
        groups: of one sensor type each.
        features: the declarations.
        extract: gives their values.
    """
    schema_hash = feature_schema_hash(features)
    rows: list[list[RowValues]] = []
    for group in groups:
        signals = assemble_signals(group.key, group.values)
        values, reasons = extract(group.key.sensor_type, signals)
        rows.append(
            [
                session_extent(group, signal)
                | described_features(features, vector.tolist(), missing, schema_hash=schema_hash)
                for signal, vector, missing in zip(signals, values, reasons, strict=True)
            ]
        )
    return rows
