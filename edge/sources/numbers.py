"""Numbers as devices write them."""

from __future__ import annotations

import math
import re

from schemas.errors import InvalidMessage, Reason

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_SHOWN = 80


def to_number(value: object, field: str) -> float:
    """The number that a field holds; text is read strictly: neither "1_000" nor "0x1F" is a number of a sensor.

    Raises:
        InvalidMessage: if it is none, or not finite.
    """
    number = _read(value)
    if number is None:
        raise InvalidMessage(Reason.MALFORMED_PAYLOAD, f"field {field!r}: {as_text(value)} is no number")
    if not math.isfinite(number):
        raise InvalidMessage(Reason.NON_FINITE_VALUE, f"field {field!r}: {as_text(value)}")
    return number


def as_text(value: object) -> str:
    """A value for an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _read(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        if _DECIMAL.fullmatch(text):
            return float(text)
        return math.nan if _NOT_A_NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
