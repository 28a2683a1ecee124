"""A vector of features as columns of a row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from schemas.columns import Column, Kind
from schemas.rows import RowValues


def named_features(columns: Sequence[Column], values: Sequence[float]) -> RowValues:
    """Features by column name; a missing count is None, as only floats can be NaN."""
    return {
        column.name: value if column.kind is Kind.FLOAT64 else None if math.isnan(value) else int(value)
        for column, value in zip(columns, values, strict=True)
    }
