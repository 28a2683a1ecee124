"""The fingerprint of an ordered list of feature columns: two lists with one hash mean the same numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Protocol

HASH_LENGTH = 16


class NamedUnit(Protocol):
    """What the fingerprint needs of a column: its name and its unit."""

    @property
    def name(self) -> str:
        """The column's name."""
        ...

    @property
    def unit(self) -> str:
        """The unit of its values, empty for none."""
        ...


def feature_schema_hash(columns: Iterable[NamedUnit]) -> str:
    """Hash names and units in order: the first 16 hex digits of a SHA-256.

    Type, doc and nullability are left out: a better wording must not refuse a model its own features.
    """
    pairs = [[column.name, column.unit] for column in columns]
    text = json.dumps(pairs, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:HASH_LENGTH]
