"""How a feature is declared: a column of a feature row with its formula, source and possible range."""

from __future__ import annotations

import math
from dataclasses import dataclass

from schemas.columns import Column, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Column):
    """One feature. Any of them may be missing: then it is NaN in memory, null on the wire.

    docs/features.md is generated from these declarations.

    Attributes:
        kind: FLOAT64 for quantities, INT32 for counts.
        formula: in words or symbols, with the units of what goes in where they differ from the result's.
        source: the standard, paper or page that defines it.
        lowest, highest: a value outside is impossible for a correct computation, not just unusual.
    """

    kind: Kind = Kind.FLOAT64
    nullable: bool = True
    formula: str = ""
    source: str = ""
    lowest: float = -math.inf
    highest: float = math.inf
