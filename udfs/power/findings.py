"""What has been found out about one window: feature values, and reasons for those that are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from schemas.power import POWER_FEATURE_NAMES, PowerGroup, PowerReason, reason_text
from schemas.power_columns import PHASES
from udfs.power.window import FloatArray

_POSITION = {name: index for index, name in enumerate(POWER_FEATURE_NAMES)}
_PHASE_SUFFIX = tuple(phase.lower() for phase in PHASES)


@dataclass(slots=True)
class Findings:
    """Filled by the functions that describe a window, in any order."""

    values: dict[str, float] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    def put(self, name: str, value: float) -> None:
        """Set one feature; a value that is not finite stays missing."""
        if math.isfinite(value):
            self.values[name] = float(value)

    def put_phases(self, pattern: str, phases: Sequence[int], values: Sequence[float] | FloatArray) -> None:
        """Set the feature `pattern` of each phase, as in "volt_rms_{}_volt"."""
        for phase, value in zip(phases, values, strict=True):
            self.put(pattern.format(_PHASE_SUFFIX[phase]), float(value))

    def refuse(self, group: PowerGroup, reason: PowerReason) -> None:
        """Note why values of a group are missing or limited."""
        self.reasons.add(reason_text(group, reason))

    def put_or_refuse(self, name: str, group: PowerGroup, result: float | PowerReason) -> None:
        """Set a feature, or note why there is none."""
        if isinstance(result, PowerReason):
            self.refuse(group, result)
        else:
            self.put(name, result)

    def vector(self) -> FloatArray:
        """All features in declared order, NaN where missing."""
        vector = np.full(len(POWER_FEATURE_NAMES), np.nan)
        for name, value in self.values.items():
            vector[_POSITION[name]] = value
        return vector
