"""Sessions are a function of the set of frames: order, copies and speed of arrival change nothing but arrival."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Record, RecordKey
from schemas.row_codec import decode_row, encode_row
from schemas.rows import SESSION_FEATURES, RowValues
from schemas.sensors import SENSORS
from tests.builders import APPEND_MS, START_US, FrameBuilder, scalar_records, wave_records
from udfs.frames import LONGEST_SESSION_MS, validate_frames
from udfs.sessions import FrameGroup, summarize_sessions

SECOND_US = 1_000_000
GAP_US = 5 * SECOND_US


def groups_of(records: list[Record], append_ms: list[int] | None = None) -> list[FrameGroup]:
    """What the job's window hands over when all records arrive without a pause."""
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers["sensor_ms"] for record in records],
        append_ms or [APPEND_MS] * len(records),
    )
    assert set(verdicts.reason) <= {None}
    groups: dict[tuple[bytes, int], list[bytes]] = {}
    for record, bucket, summary in zip(records, verdicts.bucket_ms.tolist(), verdicts.summary, strict=True):
        groups.setdefault((record.key, bucket), []).append(summary or b"")
    return [FrameGroup(RecordKey.from_bytes(key), bucket, packed) for (key, bucket), packed in groups.items()]


def sessions_of(records: list[Record]) -> list[RowValues]:
    """All sessions as they would be read from the topic, by key and start."""
    rows = [
        decode_row(SESSION_FEATURES, encode_row(SESSION_FEATURES, row))
        for group in summarize_sessions(groups_of(records))
        for row in group
    ]
    return sorted(rows, key=lambda row: (row["device_id"], row["session_id"], row["session_start_ms"]))


def meaning(row: RowValues) -> RowValues:
    return {name: value for name, value in row.items() if name not in SESSION_FEATURES.arrival}


def readings_at(seconds: list[float], **fields: object) -> list[Record]:
    return [
        FrameBuilder(
            sequence=i, start_us=START_US + round(at * SECOND_US), samples=np.array([[20.0 + i]]), **fields
        ).record()  # type: ignore[arg-type]
        for i, at in enumerate(seconds)
    ]


def test_one_minute_of_readings_is_one_session() -> None:
    (session,) = sessions_of(scalar_records(60))
    values = np.array([20 + i / 10 for i in range(60)], dtype=np.float32).astype(float)
    assert session["session_start_ms"] == START_US // 1000
    assert session["session_end_ms"] == START_US // 1000 + 60_000
    assert (session["frames"], session["revision"], session["samples"], session["gaps"]) == (60, 60, 60, 0)
    assert session["completeness"] == 1.0
    assert session["sample_rate_hz"] == 1.0
    assert session["channel_mean"] == pytest.approx([values.mean()], rel=1e-14)
    assert session["channel_std"] == pytest.approx([values.std()], rel=1e-12)
    assert (session["channel_min"], session["channel_max"]) == ([values.min()], [values.max()])
    assert (session["cut"], session["clock"]) == ("none", "ok")


@pytest.mark.parametrize(("longer_s", "sessions"), [(0.0, 1), (0.001, 2)])
def test_a_session_ends_only_after_more_than_the_gap(longer_s: float, sessions: int) -> None:
    # Readings of 1 Hz last one second, so silence begins one second after the last of them.
    silence_s = SENSORS["TEMP"].session_gap_ms / 1000 + longer_s
    rows = sessions_of(readings_at([0, 1, 2, 3 + silence_s, 4 + silence_s]))
    assert len(rows) == sessions
    assert sum(row["frames"] for row in rows) == 5


def test_silence_inside_a_session_is_counted() -> None:
    (session,) = sessions_of(readings_at([0, 1, 5, 6, 9]))
    assert (session["gaps"], session["gap_ms"]) == (2, 5_000.0)
    assert (session["samples"], session["expected_samples"], session["completeness"]) == (5, 10, 0.5)


def test_readings_without_a_rate_have_the_rate_at_which_they_come() -> None:
    (session,) = sessions_of(readings_at([0, 2, 4, 6], sample_rate_hz=0.0))
    assert session["sample_rate_hz"] == 0.5
    assert session["completeness"] == 1.0


def test_a_lone_reading_without_a_rate_has_no_rate() -> None:
    (session,) = sessions_of(readings_at([0], sample_rate_hz=0.0))
    assert np.isnan(session["sample_rate_hz"])
    assert session["duration_s"] == 0.0


def test_a_late_frame_between_two_parts_joins_them() -> None:
    gap_s = SENSORS["TEMP"].session_gap_ms // 1000
    apart = readings_at([0, 1, gap_s + 3, gap_s + 4])
    assert len(sessions_of(apart)) == 2
    bridge = FrameBuilder(sequence=99, start_us=START_US + gap_s // 2 * SECOND_US).record()
    assert len(sessions_of([*apart, bridge])) == 1


def test_the_longest_session_is_cut_and_both_parts_say_so() -> None:
    half_hour_s = LONGEST_SESSION_MS // 1000
    rows = sessions_of(readings_at([half_hour_s + at for at in range(-30, 30)]))
    assert [row["cut"] for row in rows] == ["tail", "head"]
    assert [row["frames"] for row in rows] == [30, 30]


def test_a_short_session_is_not_cut_at_a_full_half_hour_of_the_clock() -> None:
    half_hour_us = LONGEST_SESSION_MS * 1000
    begun_us = START_US // half_hour_us * half_hour_us - 30 * SECOND_US
    records = [
        FrameBuilder(sequence=i, start_us=begun_us + i * SECOND_US, session_start_ms=begun_us // 1000).record()
        for i in range(60)
    ]
    (session,) = sessions_of(records)
    assert (session["frames"], session["cut"]) == (60, "none")


def test_copies_are_counted_once_and_reported() -> None:
    records = scalar_records(10)
    (session,) = sessions_of([*records, *records[:4], records[0]])
    assert (session["frames"], session["samples"], session["duplicate_frames"]) == (10, 10, 5)


def test_keys_never_mix() -> None:
    rows = sessions_of(
        [
            *scalar_records(5, tenant_id="a"),
            *scalar_records(6, tenant_id="b"),
            *scalar_records(7, session_id="s-2"),
            *scalar_records(8, sensor_type="CO2"),
        ]
    )
    assert sorted(row["frames"] for row in rows) == [5, 6, 7, 8]


ARRIVALS = st.tuples(
    st.lists(st.integers(0, 120), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(0, 10**6), max_size=15),
    st.randoms(use_true_random=False),
)


@given(ARRIVALS)
def test_order_and_copies_change_nothing_but_the_arrival(
    arrival: tuple[list[int], list[int], random.Random],
) -> None:
    seconds, copies, shuffler = arrival
    records = readings_at(sorted(seconds))
    straight = [meaning(row) for row in sessions_of(records)]
    mixed = records + [records[index % len(records)] for index in copies]
    shuffler.shuffle(mixed)
    assert [meaning(row) for row in sessions_of(mixed)] == straight


@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True), min_size=1, max_size=8))
def test_a_batch_of_n_groups_equals_n_batches_of_one(devices: list[list[int]]) -> None:
    groups = groups_of([r for i, at in enumerate(devices) for r in readings_at(list(at), device_id=f"d{i}")])
    together = [[encode_row(SESSION_FEATURES, row) for row in rows] for rows in summarize_sessions(groups)]
    alone = [
        [encode_row(SESSION_FEATURES, row) for row in rows] for group in groups for rows in summarize_sessions([group])
    ]
    assert together == alone


@given(st.lists(st.floats(-50, 120), min_size=2, max_size=50))
def test_merged_statistics_equal_those_of_all_samples(values: list[float]) -> None:
    records = [
        FrameBuilder(sequence=i, start_us=START_US + i * SECOND_US, samples=np.array([[v]])).record()
        for i, v in enumerate(values)
    ]
    (session,) = sessions_of(records)
    stored = np.array(values, dtype=np.float32).astype(np.float64)
    assert session["channel_mean"][0] == pytest.approx(stored.mean(), rel=1e-9, abs=1e-9)
    assert session["channel_std"][0] == pytest.approx(stored.std(), rel=1e-9, abs=1e-9)


def test_a_waveform_session_has_every_channel() -> None:
    signal = np.random.default_rng(5).uniform(0, 400, (1_000, 16))
    (session,) = sessions_of(wave_records(signal))
    stored = signal.astype(np.float32).astype(np.float64)
    assert session["channels"][:2] == ["L1", "L2"]
    np.testing.assert_allclose(session["channel_std"], stored.std(axis=0), rtol=1e-12)
    assert (session["samples"], session["sample_rate_hz"]) == (1_000, 100.0)


def test_no_groups_give_no_rows() -> None:
    assert summarize_sessions([]) == []
