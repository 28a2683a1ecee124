"""features-health: gait features of the sessions among the frames of one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.envelope import RecordKey
from schemas.feature_schema import feature_schema_hash
from schemas.health import GAIT_FEATURES
from schemas.rows import RowValues
from udfs.gait import extract_batch
from udfs.layouts import MICROSECONDS
from udfs.named_features import named_features
from udfs.signals import assemble_signals

GAIT_SCHEMA_HASH = feature_schema_hash(GAIT_FEATURES)


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


def extract_health_features(groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
    """The `features-health` rows of each group of GRF frames: one for each session in it."""
    rows: list[list[RowValues]] = []
    for group in groups:
        signals = assemble_signals(group.key, group.values)
        values, reasons = extract_batch(
            [signal.samples for signal in signals], [signal.sample_rate_hz for signal in signals]
        )
        rows.append(
            [
                group.key._asdict()
                | {
                    "session_start_ms": signal.start_us // 1000,
                    "session_end_ms": -(-signal.end_us // 1000),
                    "revision": signal.frames,
                    "frames": signal.frames,
                    "last_append_ms": group.last_append_ms,
                    "duration_s": (signal.end_us - signal.start_us) / MICROSECONDS,
                    "sample_rate_hz": signal.sample_rate_hz,
                    "feature_schema_hash": GAIT_SCHEMA_HASH,
                    "quality": reason,
                }
                | named_features(GAIT_FEATURES, features.tolist())
                for signal, features, reason in zip(signals, values, reasons, strict=True)
            ]
        )
    return rows
