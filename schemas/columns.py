"""How a row is declared: one `Column` per field, projected to every place that needs the row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The value types a row may hold; each projection maps all of them."""

    STRING = "string"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT64 = "float64"
    BOOL = "bool"
    TIMESTAMP_MS = "timestamp_ms"
    """Milliseconds since the epoch (UTC), an integer on the wire."""
    STRINGS = "strings"
    """A list of strings."""
    FLOATS = "floats"
    """A list of float64; a missing element is null on the wire and NaN in memory."""
    BYTES = "bytes"
    """Raw bytes, base64 on the wire (JSON has no bytes)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row.

    Attributes:
        name: snake_case, with the unit as suffix where the value has one (`stride_time_mean_s`).
        kind: the value's type.
        doc: one line a reader of the row needs.
        unit: the unit in words of the field ("s", "N", "BW/s", "%"), empty for none.
        nullable: whether the value may be missing; a missing float is NaN in memory and null on the wire.
    """

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    nullable: bool = False
