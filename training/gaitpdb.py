"""The gaitpdb recordings as training needs them: labelled walks of known people, and what is known about these people.

Form and traps: walks are packed as uint32 centi-newton, [n, 16], 100 Hz, one npz file for each of three studies. The
label rests on the record's name; walk `_10` (counting backwards while walking) is no plain gait and is left out.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RecordingError
from schemas.sensors import INSOLE_CHANNELS

STUDIES = ("Ga", "Ju", "Si")
SAMPLE_RATE_HZ = 100.0
CENTINEWTON_PER_NEWTON = 100.0
PATIENT_MARK = "Pt"
DUAL_TASK_WALK = "10"
SUBJECT_LENGTH = len("GaCo01")


@dataclass(frozen=True, slots=True)
class Walk:
    """One recording: `force_newton` of shape [n, 16] in catalogue channel order."""

    name: str
    force_newton: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Person:
    """What the demographics say; NaN where missing."""

    age_years: float
    speed_m_per_s: float


def subject_of(name: str) -> str:
    """The subject of a record: `GaCo01_02` -> `GaCo01`. Every split must group by it."""
    return name[:SUBJECT_LENGTH]


def study_of(name: str) -> str:
    """The study of a record or subject: `GaCo01_02` -> `Ga`."""
    return name[:2]


def is_patient(name: str) -> bool:
    """Whether a record or subject belongs to the Parkinson group."""
    return name[2:4] == PATIENT_MARK


def read_walks(folder: Path) -> Iterator[Walk]:
    """Every plain walk, sorted by study and name.

    Raises:
        RecordingError: naming the file and record that is not as described.
    """
    for study in STUDIES:
        path = folder / f"gaitpdb_{study}.npz"
        try:
            archive = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise RecordingError(f"{path}: {error}") from error
        with archive:
            for name in sorted(archive.files):
                if not name.endswith(f"_{DUAL_TASK_WALK}"):
                    yield Walk(name, _force(archive[name], f"{path}#{name}"))


def read_people(folder: Path) -> dict[str, Person]:
    """Demographics by subject.

    Raises:
        RecordingError: the table is missing or lacks a column.
    """
    path = folder / "demographics.csv"
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return {
                row["ID"]: Person(_number(row["Age"]), _number(row["Speed_01 (m/sec)"]))
                for row in csv.DictReader(lines)
            }
    except (OSError, KeyError, ValueError) as error:
        raise RecordingError(f"{path}: {error!r}") from error


def _force(packed: NDArray[np.uint32], place: str) -> NDArray[np.float64]:
    if packed.ndim != 2 or packed.shape[1] != len(INSOLE_CHANNELS):
        raise RecordingError(f"{place}: shape {packed.shape}, not [n, {len(INSOLE_CHANNELS)}]")
    return packed.astype(np.float64) / CENTINEWTON_PER_NEWTON


def _number(text: str) -> float:
    return float(text) if text.strip() else math.nan
