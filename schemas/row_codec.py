"""Rows as JSON on the topics, and back: snake_case, a missing float is null."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from schemas.columns import Column, Kind
from schemas.errors import InvalidMessage, Reason
from schemas.rows import Row, RowValues


def _float_or_nan(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _exact(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(value)
        return value

    return check


_FROM_WIRE: dict[Kind, Callable[[Any], Any]] = {
    Kind.STRING: _exact(str),
    Kind.INT32: _exact(int),
    Kind.INT64: _exact(int),
    Kind.FLOAT64: _float_or_nan,
    Kind.BOOL: _exact(bool),
    Kind.TIMESTAMP_MS: _exact(int),
    Kind.STRINGS: lambda values: [_exact(str)(value) for value in _exact(list)(values)],
    Kind.FLOATS: lambda values: [_float_or_nan(value) for value in _exact(list)(values)],
    Kind.BYTES: lambda value: base64.b64decode(_exact(str)(value), validate=True),
}


def encode_row(row: Row, values: Mapping[str, Any]) -> bytes:
    """A row as snake_case JSON; a float that is missing or not finite is null.

    Raises:
        KeyError: if a declared column is missing: that is a fault of the caller, not of the input.
    """
    fields = {name: values[name] for name in row.column_names}
    return orjson.dumps(fields, default=_wire_value, option=orjson.OPT_SERIALIZE_NUMPY)


def _wire_value(value: Any) -> Any:
    """What JSON has no form for: bytes; arrays that orjson can't read in place."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value.tolist()


def decode_row(row: Row, value: bytes) -> RowValues:
    """Reads a row from JSON; null in a float column is NaN. Unknown fields are ignored (a newer writer).

    Raises:
        InvalidMessage: naming the column and its value.
    """
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}: a JSON {type(fields).__name__}, not an object")
    return {column.name: _memory_value(row, column, fields) for column in row.columns}


def _memory_value(row: Row, column: Column, fields: Mapping[str, Any]) -> Any:
    if column.name not in fields:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}.{column.name} is missing")
    value = fields[column.name]
    if value is None and not column.nullable:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}.{column.name} is null")
    if value is None and column.kind is not Kind.FLOAT64:
        return None
    try:
        return _FROM_WIRE[column.kind](value)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidMessage(
            Reason.MALFORMED_ROW, f"{row.name}.{column.name}={value!r:.100} is not {column.kind.value}"
        ) from error
