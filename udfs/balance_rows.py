"""features-balance: how steadily a person stands, from the sessions of a force plate."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.balance import BALANCE_FEATURES
from schemas.feature_schema import feature_schema_hash
from schemas.rows import RowValues
from udfs.balance import BalanceTrial, extract_balance_batch
from udfs.health_rows import RecordGroup
from udfs.session_rows import session_columns
from udfs.signals import assemble_signals

BALANCE_SCHEMA_HASH = feature_schema_hash(BALANCE_FEATURES)


def extract_balance_features(groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
    """The `features-balance` rows of each group of force-plate frames: one for each session in it."""
    rows: list[list[RowValues]] = []
    for group in groups:
        signals = assemble_signals(group.key, group.values)
        trials = [BalanceTrial(signal.samples, signal.sample_rate_hz) for signal in signals]
        values, reasons = extract_balance_batch(trials)
        rows.append(
            [
                session_columns(group, signal, BALANCE_FEATURES, features.tolist(), (BALANCE_SCHEMA_HASH, missing))
                for signal, features, missing in zip(signals, values, reasons, strict=True)
            ]
        )
    return rows
