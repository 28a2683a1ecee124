"""Validation: every kind of bad frame has its reason, good neighbours are untouched, both reading paths agree."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import MAX_FRAME_BYTES, Record, seal, to_record
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import EventEnvelope, SampleBlock
from tests.builders import APPEND_MS, START_US, FrameBuilder, counter_record, scalar_records, wave_records
from udfs import frames
from udfs.frames import LONGEST_SESSION_MS, Verdicts, validate_frames
from udfs.summaries import FLAG_CLOCK_AHEAD, FLAG_CLOCK_UNSET, FLAG_FIRST_BUCKET, FLAG_RESENT, unpack_summaries


def verdicts_of(records: list[Record], append_ms: int = APPEND_MS) -> Verdicts:
    return validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers.get("sensor_ms") for record in records],
        [append_ms] * len(records),
    )


def with_envelope(change: Callable[[EventEnvelope], None], **fields: object) -> Record:
    """A record of a changed envelope whose key and header are those of the unchanged one."""
    envelope = FrameBuilder(**fields).envelope()  # type: ignore[arg-type]
    record = to_record(envelope)
    change(envelope)
    return dataclasses.replace(record, value=seal(envelope))


def with_block(change: Callable[[SampleBlock], None], **fields: object) -> Record:
    def apply(envelope: EventEnvelope) -> None:
        block = SampleBlock.FromString(envelope.payload)
        change(block)
        envelope.payload = block.SerializeToString()

    return with_envelope(apply, **fields)


def setting(name: str, value: object) -> Callable[[object], None]:
    return lambda message: setattr(message, name, value)


GOOD = FrameBuilder().record()
FLIPPED = bytearray(GOOD.value)
FLIPPED[20] ^= 0x04
TWO_CHANNELS = np.array([[1.0, 2.0]])

BAD = {
    Reason.EMPTY: [dataclasses.replace(GOOD, value=b"")],
    Reason.OVERSIZED: [dataclasses.replace(GOOD, value=b"x" * (MAX_FRAME_BYTES + 1))],
    Reason.MISSING_CHECKSUM: [dataclasses.replace(GOOD, value=GOOD.value[:40])],
    Reason.CHECKSUM_MISMATCH: [dataclasses.replace(GOOD, value=bytes(FLIPPED))],
    Reason.MALFORMED_ENVELOPE: [],
    Reason.UNKNOWN_SCHEMA_VERSION: [with_envelope(setting("schema_version", 99))],
    Reason.BAD_IDENTIFIER: [
        dataclasses.replace(GOOD, key=b"no key at all"),
        dataclasses.replace(GOOD, key=b""),
        with_envelope(setting("event_id", "not hexadecimal")),
        with_envelope(setting("event_id", "ab" * 17)),
    ],
    Reason.KEY_MISMATCH: [
        dataclasses.replace(GOOD, key=b"lab/other/s-1/TEMP"),
        with_envelope(setting("tenant_id", "intruder")),
    ],
    Reason.HEADER_MISMATCH: [
        dataclasses.replace(GOOD, headers={"sensor_ms": b"1"}),
        dataclasses.replace(GOOD, headers={}),
        dataclasses.replace(GOOD, headers={"sensor_ms": b"0" + GOOD.headers["sensor_ms"]}),
    ],
    Reason.BAD_TIMESTAMP: [
        FrameBuilder(start_us=-1_000_000, session_start_ms=-1_000).record(),
        FrameBuilder(start_us=9_000_000_000_000_000_000 // 1000 * 1000).record(),
        FrameBuilder(session_start_ms=START_US // 1000 + 1).record(),
        with_block(setting("start_us", START_US + 5_000)),
    ],
    Reason.UNKNOWN_PAYLOAD_TYPE: [with_envelope(setting("payload_type", 0)), with_envelope(setting("payload_type", 4))],
    Reason.MALFORMED_PAYLOAD: [
        with_envelope(setting("payload", b"\xff\xff\xff")),
        with_block(setting("encoding", 0)),
    ],
    Reason.UNKNOWN_SENSOR: [FrameBuilder(sensor_type="SEISMO").record()],
    Reason.UNIT_MISMATCH: [
        FrameBuilder(unit="K").record(),
        counter_record(1.0, unit="Wh"),
        counter_record(1.0, sensor_type="TEMP"),
    ],
    Reason.BAD_CHANNELS: [
        FrameBuilder(channels=("other",)).record(),
        FrameBuilder(sensor_type="GRF", samples=TWO_CHANNELS, channels=("L1", "L1")).record(),
        with_block(lambda block: block.ClearField("channels")),
    ],
    Reason.BAD_SAMPLE_RATE: [
        FrameBuilder(sample_rate_hz=-1.0).record(),
        FrameBuilder(sample_rate_hz=math.nan).record(),
        FrameBuilder(sample_rate_hz=1e9).record(),
        FrameBuilder(sample_rate_hz=0.0, samples=np.array([[1.0], [2.0]])).record(),
        FrameBuilder(sample_rate_hz=0.0001).record(),
    ],
    Reason.SAMPLE_COUNT_MISMATCH: [
        with_block(setting("sample_count", 2)),
        with_block(setting("sample_count", 0)),
        with_block(setting("data", b"\x00\x00\x80")),
    ],
    Reason.NON_FINITE_VALUE: [
        counter_record(math.nan),
        FrameBuilder(samples=np.array([[math.nan]])).record(),
        FrameBuilder(samples=np.array([[math.inf]])).record(),
        FrameBuilder(samples=np.array([[-math.inf]])).record(),
    ],
    Reason.VALUE_OUT_OF_RANGE: [FrameBuilder(samples=np.array([[500.0]])).record()],
}


def bad_frames() -> list[object]:
    return [
        pytest.param(reason, record, id=f"{reason.value}-{index}")
        for reason, records in BAD.items()
        for index, record in enumerate(records)
    ]


@pytest.mark.parametrize(("reason", "record"), bad_frames())
def test_a_bad_frame_gets_its_reason_and_its_neighbours_none(reason: Reason, record: Record) -> None:
    neighbours = scalar_records(20)
    verdicts = verdicts_of([*neighbours[:10], record, *neighbours[10:]])
    assert verdicts.reason[10] == reason.value
    assert verdicts.detail[10]
    assert verdicts.summary[10] is None
    assert [reason for index, reason in enumerate(verdicts.reason) if index != 10] == [None] * 20
    assert verdicts.summary[:10] + verdicts.summary[11:] == verdicts_of(neighbours).summary


def test_a_sealed_message_that_is_no_protobuf_is_malformed() -> None:
    envelope = EventEnvelope()
    garbage = seal(envelope)[:-6] + b"\x0a\xff"
    sealed = garbage + b"\x8d\x01"
    import zlib

    record = dataclasses.replace(GOOD, value=sealed + zlib.crc32(sealed).to_bytes(4, "little"))
    assert verdicts_of([record]).reason == [Reason.MALFORMED_ENVELOPE.value]


def test_nothing_at_all_is_an_empty_frame() -> None:
    assert validate_frames([None], [None], [None], [0]).reason == [Reason.EMPTY.value]
    assert validate_frames([], [], [], []).reason == []


def test_the_detail_names_value_and_place() -> None:
    samples = np.full((100, 16), 10.0)
    samples[7, 3] = np.nan
    detail = verdicts_of(wave_records(samples)).detail[0]
    assert detail == "nan at channel L4, sample 7"


def test_clocks_of_1970_and_2099_are_flagged_not_dropped() -> None:
    year_2099_us = 4_070_908_800_000_000
    records = [
        FrameBuilder(start_us=5_000_000, session_start_ms=5_000).record(),
        FrameBuilder(start_us=year_2099_us, session_start_ms=year_2099_us // 1000).record(),
        FrameBuilder(resent=True).record(),
    ]
    verdicts = verdicts_of(records)
    assert verdicts.reason == [None, None, None]
    flags = [int(unpack_summaries([packed], 1)["flags"][0]) for packed in verdicts.summary if packed]
    assert [flag & (FLAG_CLOCK_UNSET | FLAG_CLOCK_AHEAD | FLAG_RESENT) for flag in flags] == [
        FLAG_CLOCK_UNSET,
        FLAG_CLOCK_AHEAD,
        FLAG_RESENT,
    ]


def test_buckets_follow_each_other_from_the_start_of_the_session() -> None:
    begun_ms = START_US // 1000
    times_ms = [0, LONGEST_SESSION_MS - 1, LONGEST_SESSION_MS, 2 * LONGEST_SESSION_MS + 5]
    records = [FrameBuilder(start_us=START_US + time * 1000, sequence=time).record() for time in times_ms]
    verdicts = verdicts_of(records, append_ms=begun_ms + 3 * LONGEST_SESSION_MS)
    offsets = (verdicts.bucket_ms - begun_ms) // LONGEST_SESSION_MS
    assert offsets.tolist() == [0, 0, 1, 2]
    first = [bool(unpack_summaries([p], 1)["flags"][0] & FLAG_FIRST_BUCKET) for p in verdicts.summary if p]
    assert first == [True, True, False, False]


def test_a_summary_holds_the_moments_of_every_channel() -> None:
    samples = np.random.default_rng(3).normal(300, 50, (100, 16))
    packed = verdicts_of(wave_records(samples)).summary[0]
    assert packed is not None
    summary = unpack_summaries([packed], 16)[0]
    stored = samples.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(summary["mean"], stored.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(summary["m2"], ((stored - stored.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(summary["min"], stored.min(axis=0))
    np.testing.assert_array_equal(summary["max"], stored.max(axis=0))


def test_scaled_integers_mean_what_floats_mean() -> None:
    samples = np.round(np.random.default_rng(4).uniform(0, 300, (100, 16)), 2)
    exact = FrameBuilder(sensor_type="GRF", sample_rate_hz=100.0, samples=samples, int16_scale=0.01).record()
    packed = verdicts_of([exact] * 10).summary[9]
    assert packed is not None
    np.testing.assert_allclose(unpack_summaries([packed], 16)[0]["mean"], samples.mean(axis=0), rtol=1e-12)


def test_a_counter_keeps_all_its_digits() -> None:
    record = counter_record(1_234_567.01)
    (summary,) = validate_frames([record.key], [record.value], [record.headers["sensor_ms"]], [APPEND_MS]).summary
    (frame,) = unpack_summaries([summary or b""], 1)
    assert (frame["mean"].item(), frame["count"].item(), frame["samples"]) == (1_234_567.01, 1, 1)


def test_a_subset_of_channels_leaves_the_others_without_count() -> None:
    record = FrameBuilder(sensor_type="GRF", samples=TWO_CHANNELS, channels=("R8", "L2")).record()
    packed = verdicts_of([record]).summary[0]
    assert packed is not None
    summary = unpack_summaries([packed], 16)[0]
    assert np.flatnonzero(summary["count"]).tolist() == [1, 15]
    assert (summary["mean"][15], summary["mean"][1]) == (1.0, 2.0)


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "device_id": st.sampled_from(["walker-1", "walker-2", "other"]),
        "session_id": st.sampled_from(["s-1", "s-2", "s:10"]),
        "site_id": st.sampled_from(["home", "", "gärten", "lab1"]),
        "sequence": st.integers(0, 2**63),
        "start_us": st.integers(0, 4 * 10**15),
        "session_start_ms": st.sampled_from([0, 1, START_US // 1000]),
        "resent": st.booleans(),
        "samples": st.sampled_from([np.array([[v]]) for v in (20.0, 21.5, -80.0, math.nan)]),
        "unit": st.sampled_from(["degC", "K"]),
    },
)
DAMAGE = st.one_of(st.none(), st.tuples(st.integers(0, 400), st.integers(0, 7)))


@given(st.lists(st.tuples(FIELDS, DAMAGE, st.sampled_from(["value", "key", "header"])), min_size=1, max_size=60))
def test_reading_by_template_and_one_by_one_give_the_same_verdicts(
    parts: list[tuple[dict[str, object], tuple[int, int] | None, str]],
) -> None:
    records = [damaged(FrameBuilder(**fields).record(), damage, place) for fields, damage, place in parts]  # type: ignore[arg-type]
    together = verdicts_of(records)
    for index, record in enumerate(records):
        alone = verdicts_of([record])
        assert together.reason[index] == alone.reason[0]
        assert together.detail[index] == alone.detail[0]
        assert together.bucket_ms[index] == alone.bucket_ms[0]
        assert together.summary[index] == alone.summary[0]


def damaged(record: Record, damage: tuple[int, int] | None, place: str) -> Record:
    """The record with one bit flipped."""
    if damage is None:
        return record
    parts = {"value": record.value, "key": record.key, "header": record.headers["sensor_ms"]}
    content = bytearray(parts[place])
    content[damage[0] % len(content)] ^= 1 << damage[1]
    if place == "header":
        return dataclasses.replace(record, headers={"sensor_ms": bytes(content)})
    return dataclasses.replace(record, **{place: bytes(content)})


@given(st.integers(1, 40), st.integers(1, 16), st.integers(1, 120))
def test_a_batch_of_n_equals_n_batches_of_one_to_the_last_bit(count: int, channels: int, samples: int) -> None:
    values = np.random.default_rng(count).normal(100, 40, (count * samples, channels))
    records = [
        FrameBuilder(
            sensor_type="GRF", sequence=i, sample_rate_hz=100.0, samples=values[i * samples : (i + 1) * samples]
        ).record()
        for i in range(count)
    ]
    assert verdicts_of(records).summary == [verdicts_of([record]).summary[0] for record in records]


def test_most_frames_of_a_fleet_are_read_by_template(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    real = frames.open_record

    def counting(*arguments: bytes | None) -> EventEnvelope:
        nonlocal opened
        opened += 1
        return real(*arguments)

    monkeypatch.setattr(frames, "open_record", counting)
    records = [r for device in range(100, 200) for r in scalar_records(20, device_id=f"device-{device}")]
    assert set(verdicts_of(records).reason) == {None}
    assert opened < 20


@pytest.mark.parametrize("flip", range(0, len(GOOD.value) * 8, 7))
def test_any_flipped_bit_of_a_value_is_found(flip: int) -> None:
    value = bytearray(GOOD.value)
    value[flip // 8] ^= 1 << (flip % 8)
    assert verdicts_of([dataclasses.replace(GOOD, value=bytes(value))]).reason[0] is not None


@pytest.mark.parametrize("length", range(len(GOOD.value)))
def test_any_truncation_of_a_value_is_found(length: int) -> None:
    assert verdicts_of([dataclasses.replace(GOOD, value=GOOD.value[:length])]).reason[0] is not None


def test_oversized_frames_never_leave_the_edge() -> None:
    with pytest.raises(InvalidMessage, match="oversized"):
        FrameBuilder(sensor_type="GRF", samples=np.zeros((20_000, 16)), sample_rate_hz=1000.0).record()
