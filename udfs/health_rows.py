"""features-health: gait features of the sessions among the frames of one key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.feature_schema import feature_schema_hash
from schemas.health import GAIT_FEATURES, GAIT_GROUPS, GaitReason
from schemas.rows import RowValues
from udfs.gait import extract_batch
from udfs.layouts import MICROSECONDS
from udfs.named_features import named_features
from udfs.session_rows import RecordGroup, session_extent
from udfs.signals import assemble_signals

GAIT_SCHEMA_HASH = feature_schema_hash(GAIT_FEATURES)


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
                session_extent(group, signal)
                | {
                    "duration_s": (signal.end_us - signal.start_us) / MICROSECONDS,
                    "feature_schema_hash": GAIT_SCHEMA_HASH,
                    "quality": reason,
                    "missing": _missing_groups(features, reason),
                }
                | named_features(GAIT_FEATURES, features.tolist())
                for signal, features, reason in zip(signals, values, reasons, strict=True)
            ]
        )
    return rows


def _missing_groups(features: NDArray[np.float64], reason: str) -> list[str]:
    """`group:reason` of each group in which a feature is missing.

    Where nothing else is wrong, what is missing are the features that need more strides than there are.
    """
    why = GaitReason.TOO_FEW_STRIDES.value if reason == GaitReason.OK else reason
    ends = np.cumsum([len(group) for group in GAIT_GROUPS.values()])
    parts = np.split(np.isnan(features), ends[:-1])
    return [f"{group}:{why}" for group, part in zip(GAIT_GROUPS, parts, strict=True) if part.any()]
