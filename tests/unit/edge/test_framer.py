from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.framing import BlockEncoding, Framing
from edge.identity import Identity
from edge.measurement import Register, samples_us
from edge.plan import PlannedRecording
from edge.recordings.recording import Recording
from edge.records import plan_records
from schemas.envelope import Record, RecordKey, make_event_id, unseal
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import COUNTER_READING, SAMPLE_BLOCK, CounterReading, EventEnvelope, SampleBlock
from schemas.samples import decode_samples

START_MS = 1_700_000_000_123
WHO = Identity(tenant_id="lab", site_id="hall", device_id="walker-1", session_id="morning", boot_id="b0")


def _recording(samples: int, *, rate_hz: float = 100.0, start_s: float = 0.0, channels: int = 3) -> Recording:
    values = np.random.default_rng(samples).normal(0.0, 500.0, (samples, channels))
    return Recording("r", "GRF", tuple(f"L{n + 1}" for n in range(channels)), "N", rate_hz, values, start_s)


def _block_samples(framing: Framing, recording: Recording) -> int:
    return framing.block_samples(len(recording.channels), recording.sample_rate_hz)


def _records(recording: Recording, who: Identity = WHO, framing: Framing | None = None) -> list[Record]:
    return list(plan_records([PlannedRecording(recording, who, START_MS, 0.0)], framing or Framing()))


def _opened(recording: Recording, framing: Framing | None = None) -> list[tuple[EventEnvelope, SampleBlock]]:
    envelopes = [unseal(record.value) for record in _records(recording, framing=framing)]
    return [(envelope, SampleBlock.FromString(envelope.payload)) for envelope in envelopes]


@given(
    samples=st.integers(1, 700),
    rate_hz=st.one_of(st.sampled_from([100.0, 62.5, 1 / 0.03, 44_100.0, 1e-3]), st.floats(0.5, 5_000.0)),
    block_s=st.floats(0.001, 10.0),
)
def test_blocks_put_together_are_the_recording_bit_for_bit(samples: int, rate_hz: float, block_s: float) -> None:
    recording = _recording(samples, rate_hz=rate_hz)
    framing = Framing(block_s=block_s)
    frames = _opened(recording, framing)
    together = np.concatenate([decode_samples(block) for _, block in frames])
    assert together.astype(np.float32).tobytes() == recording.samples.astype(np.float32).tobytes()
    size = _block_samples(framing, recording)
    assert [block.sample_count for _, block in frames[:-1]] == [size] * (len(frames) - 1)
    assert 1 <= frames[-1][1].sample_count <= size


@given(rate_hz=st.floats(0.1, 50_000.0), samples=st.integers(0, 10**9))
def test_time_of_a_sample_is_exact_to_the_microsecond_at_any_rate(rate_hz: float, samples: int) -> None:
    exact_us = Fraction(samples * 1_000_000) / Fraction(rate_hz)
    assert abs(samples_us(samples, rate_hz) - exact_us) <= Fraction(1, 2)


def test_start_times_do_not_drift_at_an_odd_rate() -> None:
    rate_hz = 1 / 0.03
    frames = _opened(_recording(3_300, rate_hz=rate_hz))
    starts_us = [block.start_us for _, block in frames]
    assert starts_us == [START_MS * 1_000 + round(k * 33 * 30_000) for k in range(100)]


def test_times_begin_with_the_first_sample() -> None:
    envelope, block = _opened(_recording(150, start_s=0.0104))[1]
    assert block.start_us == START_MS * 1_000 + 10_400 + 1_000_000
    assert envelope.sensor_timestamp_ms == START_MS + 1_010
    assert envelope.session_start_ms == START_MS + 10
    assert envelope.ingest_timestamp_ms == START_MS + 10 + 1_500


def test_frames_carry_identity_key_and_header(walk: Recording) -> None:
    records = _records(walk)
    assert len(records) == 13
    for sequence, record in enumerate(records):
        envelope = unseal(record.value)
        assert record.key == RecordKey("lab", "walker-1", "morning", "GRF").to_bytes()
        assert record.headers == {"sensor_ms": str(START_MS + 1_000 * sequence).encode()}
        assert envelope.sequence == sequence
        assert envelope.event_id == make_event_id("lab", "walker-1", "b0", sequence)
        assert (envelope.site_id, envelope.boot_id, envelope.event_type) == ("hall", "b0", "samples")
        assert envelope.payload_type == SAMPLE_BLOCK
        assert not envelope.resent
        block = SampleBlock.FromString(envelope.payload)
        assert (tuple(block.channels), block.unit, block.sample_rate_hz) == (walk.channels, "N", 100.0)


def test_framing_again_gives_the_same_bytes(walk: Recording) -> None:
    assert _records(walk) == _records(walk)


def test_another_boot_or_device_makes_other_events(walk: Recording) -> None:
    def ids(who: Identity) -> set[str]:
        return {unseal(record.value).event_id for record in _records(walk, who)}

    other_boot = Identity(tenant_id="lab", site_id="hall", device_id="walker-1", session_id="morning", boot_id="b1")
    other_device = Identity(tenant_id="lab", site_id="hall", device_id="walker-2", session_id="morning", boot_id="b0")
    assert len(ids(WHO) | ids(other_boot) | ids(other_device)) == 3 * 13


def test_float32_gives_back_centinewton_exactly(walk: Recording) -> None:
    together = np.concatenate([decode_samples(block) for _, block in _opened(walk)])
    assert np.array_equal(np.rint(together * 100.0) / 100.0, walk.samples)


def test_scaled_int16_is_half_as_long_and_wrong_by_half_a_step_at_most(walk: Recording) -> None:
    frames = _opened(walk, Framing(encoding=BlockEncoding.SCALED_INT16))
    together = np.concatenate([decode_samples(block) for _, block in frames])
    assert np.abs(together - walk.samples).max() <= 0.05 + 1e-9
    assert len(frames[0][1].data) * 2 == len(_opened(walk)[0][1].data)


def test_value_beyond_int16_is_refused_by_name(walk: Recording) -> None:
    framing = Framing(encoding=BlockEncoding.SCALED_INT16, int16_scale=0.001)
    with pytest.raises(InvalidMessage, match="value_out_of_range"):
        _records(walk, framing=framing)


@pytest.mark.parametrize("encoding", BlockEncoding)
def test_a_block_is_shorter_where_a_frame_holds_no_more(encoding: BlockEncoding) -> None:
    recording = _recording(60_000, rate_hz=60_000.0, channels=16)
    framing = Framing(encoding=encoding)
    assert _block_samples(framing, recording) == 768 * 1024 // (16 * encoding.item_bytes)
    frames = _opened(recording, framing)
    together = np.concatenate([decode_samples(block) for _, block in frames])
    assert len(together) == 60_000
    assert np.abs(together - recording.samples).max() <= 0.051
    assert [block.sample_count for _, block in frames[:-1]] == [_block_samples(framing, recording)] * (len(frames) - 1)


def test_block_that_is_no_frame_is_refused_by_name() -> None:
    channels = tuple(f"{number:0200d}" for number in range(6_000))
    recording = Recording("wide", "GRF", channels, "N", 1.0, np.zeros((1, len(channels))))
    with pytest.raises(InvalidMessage) as caught:
        _records(recording)
    assert caught.value.reason is Reason.OVERSIZED


def test_readings_of_a_register_are_each_an_event_with_what_the_register_is_like() -> None:
    shown = np.array([[1_234.567], [1_234.568], [0.001]])
    recording = Recording("meter", "KWH", ("value",), "kWh", 1 / 60, shown, register=Register(7, 0.001))
    frames = [unseal(record.value) for record in _records(recording)]
    assert {frame.payload_type for frame in frames} == {COUNTER_READING}
    readings = [CounterReading.FromString(frame.payload) for frame in frames]
    assert [reading.value for reading in readings] == shown[:, 0].tolist()
    assert {(reading.digits, reading.resolution, reading.unit) for reading in readings} == {(7, 0.001, "kWh")}
    assert [reading.reading_us for reading in readings] == [START_MS * 1_000 + n * 60_000_000 for n in range(3)]


@pytest.mark.parametrize("field", ["tenant_id", "site_id", "device_id", "session_id", "boot_id"])
@pytest.mark.parametrize("value", ["", "a b", "a/b", "ü", "x" * 129])
def test_identity_refuses_what_is_no_identifier(field: str, value: str) -> None:
    names = {"tenant_id": "t", "site_id": "s", "device_id": "d", "session_id": "x", "boot_id": "b", field: value}
    with pytest.raises(InvalidMessage, match=f"{field}="):
        Identity(**names)


@pytest.mark.parametrize(
    ("samples", "rate_hz"), [(np.zeros((0, 2)), 1.0), (np.zeros((3, 1)), 1.0), (np.zeros((3, 2)), 0.0)]
)
def test_recording_refuses_shapes_that_do_not_fit(samples: NDArray[Any], rate_hz: float) -> None:
    with pytest.raises(ValueError, match="odd"):
        Recording("odd", "GRF", ("L1", "L2"), "N", rate_hz, samples)
