"""Reading the packed recordings for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from schemas.errors import RecordingError
from training.gaitpdb import is_patient, read_people, read_walks, study_of, subject_of


def write_studies(folder: Path, *, channels: int = 16) -> None:
    for study in ("Ga", "Ju", "Si"):
        walks = {
            f"{study}{group}01_{walk}": np.full((3, channels), 250, dtype=np.uint32)
            for group in ("Pt", "Co")
            for walk in ("02", "01", "10")
        }
        np.savez_compressed(folder / f"gaitpdb_{study}.npz", **walks)


def test_walks_come_sorted_in_newton_without_the_dual_task(tmp_path: Path) -> None:
    write_studies(tmp_path)
    walks = list(read_walks(tmp_path))
    assert [walk.name for walk in walks[:4]] == ["GaCo01_01", "GaCo01_02", "GaPt01_01", "GaPt01_02"]
    assert len(walks) == 12
    assert walks[0].force_newton.shape == (3, 16)
    assert walks[0].force_newton.max() == 2.5


def test_a_record_of_another_shape_is_named(tmp_path: Path) -> None:
    write_studies(tmp_path, channels=15)
    with pytest.raises(RecordingError, match="GaCo01_01"):
        list(read_walks(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"gaitpdb_Ga\.npz"):
        list(read_walks(tmp_path))


def test_subject_study_and_group_come_from_the_name() -> None:
    assert (subject_of("JuPt03_06"), study_of("JuPt03_06"), is_patient("JuPt03_06")) == ("JuPt03", "Ju", True)
    assert not is_patient("GaCo01")


def test_missing_demographics_are_missing_numbers(tmp_path: Path) -> None:
    (tmp_path / "demographics.csv").write_text("ID,Age,Speed_01 (m/sec)\nGaPt03,82,0.778\nGaPt04,68,NaN\nGaPt05,,\n")
    people = read_people(tmp_path)
    assert people["GaPt03"].age_years == 82 and people["GaPt03"].speed_m_per_s == 0.778
    assert np.isnan([people["GaPt04"].speed_m_per_s, people["GaPt05"].age_years]).all()


def test_demographics_without_a_column_are_refused(tmp_path: Path) -> None:
    (tmp_path / "demographics.csv").write_text("ID,Age\nGaPt03,82\n")
    with pytest.raises(RecordingError, match="Speed_01"):
        read_people(tmp_path)
