"""Base features of every channel follow from the session's statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from schemas.row_codec import encode_row
from schemas.rows import FEATURES_BASE
from tests.builders import wave_records
from tests.unit.udfs.test_sessions import sessions_of
from udfs.base_rows import derive_base_features


def test_each_channel_gives_one_row_with_its_own_statistics() -> None:
    time_s = np.arange(1_000) / 100
    signal = np.zeros((1_000, 16))
    signal[:, 0] = 300 + 100 * np.sin(2 * np.pi * time_s)
    sessions = sessions_of(wave_records(signal))
    (rows,) = derive_base_features(sessions)
    assert [row["channel"] for row in rows] == sessions[0]["channels"]
    left_heel = rows[0]
    assert left_heel["mean"] == pytest.approx(300, rel=1e-6)
    assert left_heel["std"] == pytest.approx(100 / math.sqrt(2), rel=1e-6)
    assert left_heel["rms"] == pytest.approx(math.hypot(300, 100 / math.sqrt(2)), rel=1e-6)
    assert left_heel["peak_to_peak"] == pytest.approx(200, rel=1e-6)
    assert left_heel["crest_factor"] == pytest.approx(400 / math.hypot(300, 100 / math.sqrt(2)), rel=1e-6)
    assert left_heel["cv_pct"] == pytest.approx(100 / math.sqrt(2) / 3, rel=1e-6)
    assert left_heel["range_used_pct"] == pytest.approx(100 * 200 / 5_200, rel=1e-6)
    assert left_heel["unit"] == "N"
    for row in rows:
        encode_row(FEATURES_BASE, row)


def test_a_silent_channel_has_no_ratios() -> None:
    (rows,) = derive_base_features(sessions_of(wave_records(np.zeros((100, 16)))))
    assert math.isnan(rows[0]["crest_factor"])
    assert math.isnan(rows[0]["cv_pct"])
    assert rows[0]["rms"] == 0.0


def test_a_batch_of_n_equals_n_batches_of_one() -> None:
    signal = np.random.default_rng(2).uniform(0, 300, (400, 16))
    sessions = [
        *sessions_of(wave_records(signal)),
        *sessions_of(wave_records(signal[:200, :3], device_id="other")),
    ]
    assert derive_base_features(sessions) == [derive_base_features([session])[0] for session in sessions]
    assert derive_base_features([]) == []
