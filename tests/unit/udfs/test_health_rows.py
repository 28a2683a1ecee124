"""features-health: one row a session, whatever its signal; a row that has no features says why."""

from __future__ import annotations

import numpy as np
import pytest

from edge.recordings.synthetic_gait import synthesize_gait
from schemas.envelope import Record, RecordKey
from schemas.health import GAIT_FEATURE_NAMES, GAIT_GROUPS
from schemas.row_codec import decode_row, encode_row
from schemas.rows import FEATURES_HEALTH, RowValues
from tests.builders import START_US, FrameBuilder, wave_records
from udfs.gait import extract_gait_features
from udfs.health_rows import extract_health_features
from udfs.session_rows import RecordGroup

KEY = RecordKey("lab", "walker-1", "s-1", "GRF")
WALK = synthesize_gait(60.0, seed=8).recording.samples


def rows_of(records: list[Record]) -> list[RowValues]:
    """The rows as they would be read from the topic."""
    (rows,) = extract_health_features([RecordGroup(KEY, 1, [record.value for record in records])])
    return [decode_row(FEATURES_HEALTH, encode_row(FEATURES_HEALTH, row)) for row in rows]


def test_a_session_has_the_features_of_its_signal() -> None:
    (row,) = rows_of(wave_records(WALK))
    signal = WALK.astype(np.float32).astype(np.float64)
    expected = extract_gait_features(signal, sample_rate_hz=100.0).values
    np.testing.assert_array_equal([row[name] for name in GAIT_FEATURE_NAMES], expected)
    assert (row["quality"], row["frames"], row["duration_s"]) == ("ok", 60, 60.0)
    assert row["session_start_ms"] == START_US // 1000


NOT_A_WALK = {
    "one sample": wave_records(WALK[:1]),
    "two seconds": wave_records(WALK[:200]),
    "silence": wave_records(np.zeros((3_000, 16))),
    "constant": wave_records(np.full((3_000, 16), 50.0)),
    "saturated": wave_records(np.where(WALK > 0, 5_000.0, 0.0)),
    "one foot": wave_records(WALK * np.repeat([1.0, 0.0], 8)),
    "too slow a rate": wave_records(WALK[::50], rate_hz=2.0),
    "no rate": [
        FrameBuilder(
            sensor_type="GRF", sample_rate_hz=0.0, sequence=i, start_us=START_US + i, samples=WALK[i : i + 1]
        ).record()
        for i in range(20)
    ],
    "two rates": [
        *wave_records(WALK[:100]),
        FrameBuilder(
            sensor_type="GRF", sequence=7, sample_rate_hz=50.0, start_us=START_US + 1_000_000, samples=WALK[:50]
        ).record(),
    ],
    "left foot only": [
        FrameBuilder(
            sensor_type="GRF",
            sequence=i,
            sample_rate_hz=100.0,
            start_us=START_US + i * 1_000_000,
            samples=WALK[100 * i : 100 * i + 100, :8],
        ).record()
        for i in range(30)
    ],
}


@pytest.mark.parametrize("case", NOT_A_WALK)
def test_what_is_no_walk_gives_a_row_that_says_why(case: str) -> None:
    (row,) = rows_of(NOT_A_WALK[case])
    assert row["quality"] != "ok"
    assert row["frames"] == len(NOT_A_WALK[case])


def test_a_lost_frame_costs_its_strides_and_no_others() -> None:
    records = wave_records(WALK)
    (whole,), (holed,) = rows_of(records), rows_of(records[:30] + records[31:])
    assert holed["quality"] == "ok"
    assert 1 <= whole["stride_count_left"] - holed["stride_count_left"] <= 3
    assert holed["stride_time_mean_s"] == pytest.approx(whole["stride_time_mean_s"], rel=0.02)


def test_a_short_walk_says_which_features_need_more_strides() -> None:
    (row,) = rows_of(wave_records(WALK[:3_000]))
    assert row["quality"] == "ok"
    assert row["missing"] == ["coordination:too_few_strides"]
    assert np.isnan(row["phase_coordination_index_pct"]) and np.isnan(row["stride_time_dfa_alpha"])
    (row,) = rows_of(wave_records(WALK[:200]))
    assert set(row["missing"]) == {f"{group}:too_short" for group in GAIT_GROUPS}
