"""A vector of features as columns of a row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from schemas.columns import Column, Kind
from schemas.rows import RowValues

OK, EMPTY = "ok", "empty"


def named_features(columns: Sequence[Column], values: Sequence[float]) -> RowValues:
    """Features by column name; a missing count is None, as only floats can be NaN."""
    return {
        column.name: value if column.kind is Kind.FLOAT64 else None if math.isnan(value) else int(value)
        for column, value in zip(columns, values, strict=True)
    }


def described_features(
    columns: Sequence[Column], values: Sequence[float], missing: Sequence[str], *, schema_hash: str
) -> RowValues:
    """Features by column name, with the columns `schemas.rows.DESCRIBED` that say what they are worth.

    Args:
        columns: the declarations.
        values: in their order, NaN where missing.
        missing: "group:reason" of each group in which a feature is missing.
        schema_hash: of the declarations.
    """
    quality = OK if not all(map(math.isnan, values)) else missing[0] if missing else EMPTY
    told = {"feature_schema_hash": schema_hash, "quality": quality, "missing": list(missing)}
    return told | named_features(columns, values)
