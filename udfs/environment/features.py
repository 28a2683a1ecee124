"""Groups of features while they are made: their values and the reason of each window in which they are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.environment import EnvironmentReason as Why
from udfs.environment.window import BoolArray, FloatArray, Frame, Series

Reasons = NDArray[np.int8]
"""Shape [m]: 0 where nothing is missing, else the place of the reason in `REASONS`."""

REASONS: tuple[Why | None, ...] = (None, *Why)
_CODES = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Features:
    """Groups of features of m windows.

    Attributes:
        values: per group, shape [m, features of the group]; NaN where missing.
        reasons: per group, shape [m]: why features of the group are missing.
    """

    values: Mapping[str, FloatArray]
    reasons: Mapping[str, Reasons]


def code_of(reason: Why) -> int:
    """How a reason is written in `Reasons`."""
    return _CODES[reason]


def first_reason(*rules: tuple[BoolArray, Why] | Reasons) -> Reasons:
    """The first rule that applies to each window: a pair of mask [m] and reason, or reasons found before."""
    result: Reasons | None = None
    for rule in rules:
        found = rule if isinstance(rule, np.ndarray) else np.where(rule[0], code_of(rule[1]), 0).astype(np.int8)
        result = found if result is None else np.where(result == 0, found, result)
    if result is None:
        raise ValueError("no rule")
    return result


def level_reason(series: Series, frame: Frame) -> Reasons:
    """Why a window has no usable reading of a sensor, shape [m]."""
    return first_reason(
        (frame.bad, Why.BAD_WINDOW),
        (series.given + series.lost == 0, Why.NO_SENSOR),
        (series.count == 0, Why.NO_VALID_READING),
    )
