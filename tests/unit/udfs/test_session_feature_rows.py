"""Sessions of force plates and pressure devices: frames in, one row a session out, a function of the set of frames."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.envelope import Record, RecordKey
from schemas.row_codec import encode_row
from schemas.rows import FEATURES_BALANCE, FEATURES_PLANTAR, Row, RowValues
from tests.builders import APPEND_MS, START_US, FrameBuilder
from udfs.balance_rows import extract_balance_features
from udfs.plantar_rows import extract_plantar_features
from udfs.session_rows import RecordGroup

RATE_HZ = 100
PLATE = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")


def frames(sensor_type: str, channels: tuple[str, ...], samples: NDArray[Any]) -> list[Record]:
    return [
        FrameBuilder(
            sensor_type=sensor_type,
            channels=channels,
            sequence=first // RATE_HZ,
            sample_rate_hz=float(RATE_HZ),
            start_us=START_US + first * 10_000,
            samples=samples[first : first + RATE_HZ],
        ).record()
        for first in range(0, len(samples), RATE_HZ)
    ]


def standing() -> list[Record]:
    """A minute of quiet stance of 700 N that sways."""
    time_s = np.arange(60 * RATE_HZ) / RATE_HZ
    force = 700.0 + 2.0 * np.sin(2 * np.pi * 1.1 * time_s)
    x_m, y_m = 0.004 * np.sin(2 * np.pi * 0.3 * time_s), 0.003 * np.cos(2 * np.pi * 0.45 * time_s)
    zeros = np.zeros_like(time_s)
    return frames("FORCE_PLATE", PLATE, np.column_stack([zeros, zeros, force, y_m * force, -x_m * force, zeros]))


def stepping() -> list[Record]:
    """One step of 0.6 s over 20 x 8 sensors of a platform, which sends only those."""
    channels = tuple(f"r{row:02d}c{column:02d}" for row in range(21, 41) for column in range(11, 19))
    time_s = np.arange(RATE_HZ) / RATE_HZ
    course = np.where((time_s > 0.2) & (time_s < 0.8), np.sin(np.pi * np.clip((time_s - 0.2) / 0.6, 0, 1)), 0.0)
    return frames("EMED", channels, 200.0 * course[:, None] * np.ones(len(channels)))


def rows_of(records: list[Record]) -> list[RowValues]:
    key = RecordKey.from_bytes(records[0].key)
    group = RecordGroup(key, APPEND_MS, [record.value for record in records])
    extract = extract_balance_features if key.sensor_type == "FORCE_PLATE" else extract_plantar_features
    (rows,) = extract([group])
    return rows


def test_a_minute_on_a_plate_is_one_row() -> None:
    (row,) = rows_of(standing())
    assert (row["sensor_type"], row["frames"], row["quality"], row["missing"]) == ("FORCE_PLATE", 60, "ok", [])
    assert row["cop_range_ap_cm"] == pytest.approx(0.8, rel=1e-3)
    assert row["cop_range_ml_cm"] == pytest.approx(0.6, rel=1e-3)
    assert encode_row(FEATURES_BALANCE, row)


def test_a_step_on_a_platform_is_one_row_of_the_sensors_that_were_stepped_on() -> None:
    (row,) = rows_of(stepping())
    assert (row["sensor_type"], row["frames"], row["quality"]) == ("EMED", 1, "ok")
    # 160 sensors of 0.25 cm2 at 200 kPa: N = kPa cm2 / 10.
    assert row["peak_force_mean_newton"] == pytest.approx(160 * 0.25 * 200 / 10, rel=1e-3)
    assert row["peak_pressure_mean_kpa"] == pytest.approx(200.0, rel=1e-3)
    assert encode_row(FEATURES_PLANTAR, row)


@pytest.mark.parametrize(("make", "kind"), [(standing, FEATURES_BALANCE), (stepping, FEATURES_PLANTAR)])
def test_order_and_copies_change_nothing(make: Callable[[], list[Record]], kind: Row) -> None:
    records = make()
    shuffled = [*records, *records[:3]]
    random.Random(4).shuffle(shuffled)
    assert [encode_row(kind, row) for row in rows_of(shuffled)] == [encode_row(kind, row) for row in rows_of(records)]


def test_standing_on_nothing_is_refused_with_a_reason() -> None:
    (row,) = rows_of(frames("FORCE_PLATE", PLATE, np.zeros((3 * RATE_HZ, 6))))
    assert row["quality"] != "ok"
    assert row["missing"]
    assert np.isnan(row["cop_range_ap_cm"])
