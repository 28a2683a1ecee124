"""Rows of topics as pandas Series: read, made and encoded; and verdicts on records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from pyflink.table import DataTypes

from schemas.errors import InvalidMessage
from schemas.row_codec import decode_row, encode_row
from schemas.rows import Row, RowValues

BYTES, STRING = DataTypes.BYTES(), DataTypes.STRING()
ROWS_TYPE = DataTypes.ARRAY(BYTES)


def row_type(**fields: Any) -> Any:
    """The type of a row of `judged`, with these columns beside the verdict."""
    judged = {"refusal": STRING, "refused_value": BYTES} | fields
    return DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in judged.items()])


def objects(values: Sequence[Any]) -> pd.Series[Any]:
    """A column of any values, None among them."""
    # Without the dtype pandas would turn a column of None into floats, and Arrow refuse it.
    return pd.Series(values, dtype=object)


def encode_groups(row: Row, groups: Sequence[Sequence[RowValues]]) -> pd.Series[Any]:
    """The rows of each group as they stand on their topic."""
    return objects([[encode_row(row, values) for values in group] for group in groups])


def transform(
    source: Row, target: Row, values: pd.Series[Any], make: Callable[[Sequence[RowValues]], list[list[RowValues]]]
) -> pd.DataFrame:
    """Rows of `source` to rows of `target`; what is no row of `source` gets a refusal instead."""
    decoded, errors = decode_values(source, values)
    made = iter(make([row for row in decoded if row is not None]))
    rows = [next(made) if row is not None else [] for row in decoded]
    return judged(texts(errors), values, output_rows=encode_groups(target, rows))


def decode_values(row: Row, values: pd.Series[Any]) -> tuple[list[RowValues | None], list[InvalidMessage | None]]:
    """The rows behind a column of values, and why a value is none; of both None where the other is not."""
    decoded: list[RowValues | None] = []
    errors: list[InvalidMessage | None] = []
    for value in values:
        try:
            decoded.append(decode_row(row, value or b""))
            errors.append(None)
        except InvalidMessage as error:
            decoded.append(None)
            errors.append(error)
    return decoded, errors


def judged(refusals: Sequence[str | None], values: pd.Series[Any], **columns: Any) -> pd.DataFrame:
    """Verdicts on records: why each is refused, and the value of a refused one.

    Good values are not needed after this, and Flink copies what is carried past a function.
    """
    refused: list[bytes | None] = [None] * len(values)
    if any(refusals):
        refused = [value if refusal else None for value, refusal in zip(values, refusals, strict=True)]
    return pd.DataFrame({"refusal": objects(refusals), "refused_value": objects(refused)} | columns)


def texts(errors: Sequence[InvalidMessage | None]) -> list[str | None]:
    """Errors as the text that a refusal is."""
    return [None if error is None else str(error) for error in errors]


def encode_or_none(row: Row, values: RowValues | None) -> bytes | None:
    """A row as it stands on its topic; None for none."""
    return None if values is None else encode_row(row, values)


TRANSFORMED = row_type(output_rows=ROWS_TYPE)
"""What `transform` gives."""
