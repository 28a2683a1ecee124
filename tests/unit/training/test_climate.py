"""The windows that the occupancy model learns from are those of the streaming job."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from schemas.environment import ENVIRONMENT_FEATURE_NAMES
from schemas.errors import RecordingError
from tests.builders_rooms import BEGIN_S, present, simulate, write_detection_file
from training.climate import WINDOW_S, RoomTable, read_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> RoomTable:
    return read_room(write_detection_file(tmp_path_factory.mktemp("room") / "office.txt"))


def column(room: RoomTable, name: str) -> np.ndarray:
    return room.columns([name]).features[:, 0]


def test_windows_are_300_s_long_and_aligned_to_the_epoch(room: RoomTable) -> None:
    assert room.start_s.tolist() == list(range(BEGIN_S, BEGIN_S + 86_400, WINDOW_S))
    assert (room.start_s % 300 == 0).all()
    assert room.features.shape == (288, len(ENVIRONMENT_FEATURE_NAMES))


def test_a_window_has_the_five_readings_whose_time_lies_in_it(room: RoomTable) -> None:
    _, co2, _ = simulate(1, 60, seed=0)
    minutes = np.round(co2, 2).reshape(288, 5)
    for sensor in ("temp", "humid", "co2"):
        assert (column(room, f"{sensor}_count") == 5).all()
    np.testing.assert_allclose(column(room, "co2_mean_ppm"), minutes.mean(axis=1), rtol=1e-6)
    slope = np.polyfit(np.arange(5) / 60.0, minutes[100], 1)[0]
    assert column(room, "co2_rate_ppm_per_h")[100] == pytest.approx(slope, abs=0.05)


def test_a_window_is_occupied_when_half_of_its_minutes_are(room: RoomTable) -> None:
    hours = room.start_s % 86_400 / 3_600.0
    assert room.occupied.tolist() == present(hours, np.zeros(288)).tolist()
    np.testing.assert_allclose(room.light_lux, 400.0 * room.occupied)
    assert room.hours_of_day.tolist() == np.floor(hours).astype(int).tolist()


def test_a_window_of_labels_alone_or_readings_alone_is_none(tmp_path: Path) -> None:
    path = write_detection_file(tmp_path / "office.txt")
    lines = path.read_text().splitlines()
    del lines[11:31]
    path.write_text("\n".join(lines) + "\n")
    gap = read_room(path)
    assert np.unique(np.diff(gap.start_s)).tolist() == [300, 1_500]
    assert gap.start_s.size == 284


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RecordingError, match=r"other\.txt"):
        read_room(path)


@pytest.mark.data
def test_the_other_room_has_windows_without_humidity_and_light(brain_data: Path) -> None:
    room = read_room(brain_data / "environment" / "uci_room_occupancy" / "Occupancy_Estimation.csv.gz")
    assert np.isnan(column(room, "humid_mean_pct")).all() and np.isnan(room.light_lux).all()
    # Four temperature nodes and one of CO2, a reading each in about 30.6 s.
    counts = column(room, "temp_count") / column(room, "co2_count")
    assert np.nanmedian(counts) == 4.0 and np.nanmedian(column(room, "co2_count")) == 10.0
    assert np.unique(room.days).size == 7
