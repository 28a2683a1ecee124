"""A session's frames become one evenly spaced signal, with NaN where something is missing."""

from __future__ import annotations

import random

import numpy as np
import pytest

from schemas.envelope import Record, RecordKey
from tests.builders import START_US, FrameBuilder, wave_records
from udfs.signals import SessionSignal, assemble_signals

KEY = RecordKey("lab", "walker-1", "s-1", "GRF")
SIGNAL = np.random.default_rng(7).uniform(0, 500, (1_250, 16)).astype(np.float32).astype(np.float64)


def assembled(records: list[Record]) -> list[SessionSignal]:
    return assemble_signals(KEY, [record.value for record in records])


def test_frames_in_any_order_give_the_recording_back() -> None:
    records = wave_records(SIGNAL)
    mixed = [*records, records[3], records[3]]
    random.Random(1).shuffle(mixed)
    (signal,) = assembled(mixed)
    np.testing.assert_array_equal(signal.samples, SIGNAL)
    assert (signal.frames, signal.sample_rate_hz, signal.start_us) == (13, 100.0, START_US)
    assert signal.end_us == START_US + 12_500_000


def test_a_missing_frame_is_a_hole_of_its_length() -> None:
    records = wave_records(SIGNAL)
    (signal,) = assembled(records[:4] + records[5:])
    expected = SIGNAL.copy()
    expected[400:500] = np.nan
    np.testing.assert_array_equal(signal.samples, expected)


def test_a_missing_channel_is_a_column_of_nan() -> None:
    names = tuple(f"L{i}" for i in range(1, 9))
    frame = FrameBuilder(sensor_type="GRF", samples=SIGNAL[:100, :8], channels=names, sample_rate_hz=100.0)
    (signal,) = assembled([frame.record()])
    assert np.isnan(signal.samples[:, 8:]).all()
    np.testing.assert_array_equal(signal.samples[:, :8], SIGNAL[:100, :8])


def test_a_long_silence_makes_two_signals() -> None:
    first = wave_records(SIGNAL[:300])
    later = FrameBuilder(
        sensor_type="GRF", sequence=50, sample_rate_hz=100.0, start_us=START_US + 30_000_000, samples=SIGNAL[:100]
    )
    assert [signal.frames for signal in assembled([*first, later.record()])] == [3, 1]


def test_frames_of_two_rates_are_no_signal() -> None:
    one = wave_records(SIGNAL[:100])
    changed = FrameBuilder(
        sensor_type="GRF", sequence=9, sample_rate_hz=50.0, start_us=START_US + 1_000_000, samples=SIGNAL[100:150]
    )
    (signal,) = assembled([*one, changed.record()])
    assert np.isnan(signal.sample_rate_hz)
    assert signal.samples.shape == (0, 16)


@pytest.mark.parametrize("garbage", [b"", b"garbage", FrameBuilder().record().value[:-1]])
def test_what_is_no_frame_is_left_to_the_dead_letters(garbage: bytes) -> None:
    records = wave_records(SIGNAL)
    (signal,) = assemble_signals(KEY, [garbage, *[record.value for record in records]])
    assert signal.frames == len(records)
    assert assemble_signals(KEY, [garbage]) == []
