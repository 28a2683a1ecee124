"""features-balance: how steadily a person stands, from the sessions of a force plate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.balance import BALANCE_FEATURES
from schemas.rows import RowValues
from udfs.balance import BalanceTrial, extract_balance_batch
from udfs.session_rows import RecordGroup, describe_sessions
from udfs.signals import SessionSignal


def extract_balance_features(groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
    """The `features-balance` rows of each group of force-plate frames: one for each session in it."""
    return describe_sessions(groups, BALANCE_FEATURES, _extract)


def _extract(sensor_type: str, signals: Sequence[SessionSignal]) -> tuple[NDArray[np.float64], list[tuple[str, ...]]]:
    del sensor_type
    return extract_balance_batch([BalanceTrial(signal.samples, signal.sample_rate_hz) for signal in signals])
