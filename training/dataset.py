"""The table a gait model learns from: one row of features for each walk, grouped by subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.health import GAIT_FEATURE_NAMES
from training.gaitpdb import SAMPLE_RATE_HZ, Walk, is_patient, study_of, subject_of
from udfs.gait import extract_gait_features

FloatArray = NDArray[np.float64]
Cut = Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class GaitTable:
    """Rows of features with their origin.

    Attributes:
        features: shape [r, k] in the order of GAIT_FEATURES, NaN where missing.
        records: shape [r], the record of each row.
    """

    features: FloatArray
    records: NDArray[np.str_]

    @property
    def subjects(self) -> NDArray[np.str_]:
        """Shape [r]: the subject of each row."""
        return np.array([subject_of(name) for name in self.records])

    @property
    def patients(self) -> NDArray[np.bool_]:
        """Shape [r]: whether the row is a patient's."""
        return np.array([is_patient(name) for name in self.records], dtype=np.bool_)

    def of(self, subjects: NDArray[np.str_]) -> GaitTable:
        """The rows of these subjects."""
        return self.keep(np.isin(self.subjects, subjects))

    def keep(self, mask: NDArray[np.bool_]) -> GaitTable:
        """The rows where the mask is True."""
        return GaitTable(self.features[mask], self.records[mask])

    def columns(self, names: Iterable[str]) -> GaitTable:
        """The same rows with these features only, in this order."""
        index = [GAIT_FEATURE_NAMES.index(name) for name in names]
        return GaitTable(self.features[:, index], self.records)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The people of a table, sorted by name: `names` and `patients` of shape [s]."""

    names: NDArray[np.str_]
    patients: NDArray[np.bool_]

    @classmethod
    def of(cls, table: GaitTable) -> Subjects:
        """Everyone with at least one row."""
        names = np.unique(table.subjects)
        return cls(names, np.array([is_patient(name) for name in names], dtype=np.bool_))

    @property
    def strata(self) -> list[str]:
        """Study and group of each, so that folds hold the same mix."""
        return [
            f"{study_of(name)}{'Pt' if patient else 'Co'}"
            for name, patient in zip(self.names, self.patients, strict=True)
        ]


def build_table(walks: Iterable[Walk], *, cut: Cut | None = None) -> tuple[GaitTable, list[str]]:
    """Extract the features of every walk, or of every piece that `cut` makes of it.

    Returns:
        The rows whose quality is "ok", and for each other one its record and reason.
    """
    rows: list[FloatArray] = []
    records: list[str] = []
    refused: list[str] = []
    for walk in walks:
        for piece in cut(walk.force_newton) if cut else [walk.force_newton]:
            result = extract_gait_features(piece, sample_rate_hz=SAMPLE_RATE_HZ)
            if result.reason == "ok":
                rows.append(result.values)
                records.append(walk.name)
            else:
                refused.append(f"{walk.name}: {result.reason}")
    return GaitTable(np.array(rows).reshape(len(rows), len(GAIT_FEATURE_NAMES)), np.array(records)), refused


def middle_of(length_s: float) -> Cut:
    """A cut that keeps one piece of this length from the middle of a recording; none of a shorter one."""
    size = round(length_s * SAMPLE_RATE_HZ)

    def cut(force: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        start = (len(force) - size) // 2
        return [force[start : start + size]] if start >= 0 else []

    return cut


def first_walks(table: GaitTable) -> GaitTable:
    """The first row of each subject: what one session alone tells."""
    _, first = np.unique(table.subjects, return_index=True)
    mask = np.zeros(table.records.size, dtype=np.bool_)
    mask[first] = True
    return table.keep(mask)
