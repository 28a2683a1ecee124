"""Kafka batches become columns: every record a row, a rejection with its reason, or counted as skipped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import Kind
from schemas.envelope import RecordKey, heartbeat, seal
from schemas.errors import Reason
from schemas.meshes import mesh_payload
from schemas.proto.envelope_pb2 import SampleBlock
from schemas.row_codec import encode_row
from schemas.rows import FEATURES_HEALTH, INFERENCE_RESULT, ROWS, SESSION_FEATURES, Row
from tests.builders import APPEND_MS, START_US, FrameBuilder, scalar_records, scan_record, wave_records
from tests.builders_scans import exported
from udfs.frame_rows import BlockShape, ShapeReader, rawframes_block
from udfs.table_blocks import KafkaBatch, dead_letter_block, row_block


def batch_of(values: Sequence[bytes | None], **headers: Sequence[bytes | None]) -> KafkaBatch:
    """Records at offsets 100, 101, ... of partition 3."""
    count = len(values)
    return KafkaBatch(
        topic_id="topic-1",
        partitions=np.full(count, 3, dtype=np.int32),
        offsets=100 + np.arange(count),
        append_ms=APPEND_MS + np.arange(count),
        keys=[b"key"] * count,
        values=values,
        headers=headers,
    )


def row_values(row: Row, **changed: Any) -> dict[str, Any]:
    """A row of plausible values."""
    by_kind = {
        Kind.STRING: "text",
        Kind.INT32: 7,
        Kind.INT64: 8,
        Kind.FLOAT64: 1.5,
        Kind.BOOL: True,
        Kind.TIMESTAMP_MS: APPEND_MS,
        Kind.STRINGS: ["L1", "R1"],
        Kind.FLOATS: [1.0, 2.0],
        Kind.BYTES: b"bytes",
    }
    return {column.name: by_kind[column.kind] for column in row.columns} | changed


def test_a_scan_becomes_a_row_with_the_mesh_as_its_payload() -> None:
    mesh = mesh_payload(exported("ply"), "ply", side="left")
    block = rawframes_block(batch_of([scan_record(mesh).value]))
    row = {name: values[0] for name, values in block.columns.items()}
    assert (row["payload_type"], row["unit"], row["channels"], row["sample_count"]) == ("MESH", "mm", "x,y,z", 1)
    assert row["payload"] == mesh.SerializeToString(deterministic=True)


def test_frame_becomes_a_row_that_says_what_the_envelope_says() -> None:
    frame = FrameBuilder(sequence=5, resent=True, sample_rate_hz=2.0, samples=np.array([[20.0], [21.0]]))
    envelope = frame.envelope()
    block = rawframes_block(batch_of([frame.record().value]))
    row = {name: values[0] for name, values in block.columns.items()}
    assert row["event_id"] == bytes.fromhex(envelope.event_id)
    assert row["payload"] == envelope.payload
    assert (row["unit"], row["channels"], row["sample_count"], row["sample_rate_hz"]) == ("degC", "value", 2, 2.0)
    assert (row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]) == ("topic-1", 3, 100)
    assert (row["append_timestamp_ms"], row["payload_type"]) == (APPEND_MS, "SAMPLE_BLOCK")
    same = "tenant_id device_id session_id sensor_type sensor_timestamp_ms ingest_timestamp_ms session_start_ms "
    for name in (same + "site_id boot_id sequence resent event_type schema_version").split():
        assert row[name] == getattr(envelope, name), name


def test_multichannel_frame_names_its_channels_in_the_order_of_its_samples() -> None:
    block = rawframes_block(batch_of([wave_records(np.full((100, 16), 30.0))[0].value]))
    assert block.columns["channels"][0].split(",")[:2] == ["L1", "L2"]
    assert len(block.columns["channels"][0].split(",")) == 16


def test_heartbeats_are_skipped_and_counted() -> None:
    beat = heartbeat(RecordKey("lab", "ticker", "heartbeat", "STATUS"), "boot", 0, APPEND_MS)
    block = rawframes_block(batch_of([beat.value, FrameBuilder().record().value]))
    assert (block.skipped, len(block), block.rejected) == (1, 1, {})
    assert block.rows.tolist() == [1]


def _spoiled(kind: str) -> bytes:
    envelope = FrameBuilder().envelope()
    if kind == "event_id":
        envelope.event_id = "no hex"
    elif kind == "payload":
        envelope.payload = b"\xff\xff\xff"
    elif kind == "payload_type":
        envelope.payload_type = 99  # type: ignore[assignment]  # from a writer that is newer than this reader
    elif kind == "ingest_time":
        envelope.ingest_timestamp_ms = 10**18
    return seal(envelope)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b"x" * 50, Reason.MISSING_CHECKSUM),
        (FrameBuilder().record().value[:-1], Reason.MISSING_CHECKSUM),
        (bytes([FrameBuilder().record().value[0] ^ 1]) + FrameBuilder().record().value[1:], Reason.CHECKSUM_MISMATCH),
        (b"\0" * (1024 * 1024 + 1), Reason.OVERSIZED),
        (_spoiled("event_id"), Reason.BAD_IDENTIFIER),
        (_spoiled("payload"), Reason.MALFORMED_PAYLOAD),
        (_spoiled("payload_type"), Reason.UNKNOWN_PAYLOAD_TYPE),
        (_spoiled("ingest_time"), Reason.BAD_TIMESTAMP),
    ],
)
def test_bad_frame_is_rejected_with_its_reason_and_its_neighbours_are_rows(value: bytes | None, reason: Reason) -> None:
    good = [record.value for record in scalar_records(2)]
    block = rawframes_block(batch_of([good[0], value, good[1]]))
    assert {row: error.reason for row, error in block.rejected.items()} == {1: reason}
    assert block.rows.tolist() == [0, 2]
    assert block.columns["kafka_offset"].tolist() == [100, 102]
    assert {len(values) for values in block.columns.values()} == {2}


def test_empty_batch_gives_an_empty_block_with_the_same_columns_and_types() -> None:
    empty, full = rawframes_block(batch_of([])), rawframes_block(batch_of([FrameBuilder().record().value]))
    assert len(empty) == 0
    assert {name: array.dtype for name, array in empty.columns.items()} == {
        name: array.dtype for name, array in full.columns.items()
    }


sample_blocks = st.builds(
    SampleBlock,
    start_us=st.one_of(st.integers(0, 2**62), st.integers(START_US, START_US + 10**9)),
    sample_rate_hz=st.sampled_from([0.0, 1.0, 100.0]),
    channels=st.lists(st.sampled_from(["a", "b"]), max_size=2),
    unit=st.sampled_from(["", "N", "degC"]),
    encoding=st.integers(0, 2),
    sample_count=st.integers(0, 3),
    scale=st.sampled_from([0.0, 0.5]),
    data=st.binary(max_size=12),
)


@given(st.lists(sample_blocks, max_size=12))
def test_shape_read_by_comparison_is_the_shape_that_protobuf_reads(blocks: list[SampleBlock]) -> None:
    reader = ShapeReader()
    for block in blocks:
        shape = BlockShape(block.unit, block.sample_rate_hz, ",".join(block.channels), block.sample_count)
        assert reader.read(block.SerializeToString()) == shape


@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=12))
def test_shape_reader_never_takes_other_bytes_for_a_known_shape(tails: list[bytes], data: bytes) -> None:
    """Payloads that begin like a known one and go on otherwise are read as protobuf reads them, or rejected."""
    known = SampleBlock(start_us=START_US, unit="N", sample_count=1, data=data).SerializeToString()
    reader = ShapeReader()
    reader.read(known)
    for tail in tails:
        payload = known[: max(1, len(known) - len(tail))] + tail
        try:
            expected = SampleBlock.FromString(payload)
        except Exception:  # noqa: S112 - protobuf's own verdict: this one is malformed
            continue
        assert reader.read(payload).unit == expected.unit
        assert reader.read(payload).sample_count == expected.sample_count


@pytest.mark.parametrize("row", [row for row in ROWS if row.table], ids=lambda row: row.name)
def test_row_block_has_every_declared_column_and_the_position(row: Row) -> None:
    block = row_block(row, batch_of([encode_row(row, row_values(row))]))
    assert list(block.columns) == [*row.column_names, "kafka_topic_id", "kafka_partition", "kafka_offset"]
    assert block.rejected == {}


def test_missing_floats_become_null_never_nan() -> None:
    values = row_values(INFERENCE_RESULT, score=math.nan)
    assert row_block(INFERENCE_RESULT, batch_of([encode_row(INFERENCE_RESULT, values)])).columns["score"][0] is None
    session = row_values(SESSION_FEATURES, channel_mean=[1.0, math.nan])
    block = row_block(SESSION_FEATURES, batch_of([encode_row(SESSION_FEATURES, session)]))
    assert block.columns["channel_mean"][0] == [1.0, None]


@pytest.mark.parametrize(
    ("row", "changed", "reason"),
    [
        (FEATURES_HEALTH, {"stride_count_left": 2**31}, Reason.MALFORMED_ROW),
        (SESSION_FEATURES, {"frames": 2**63}, Reason.MALFORMED_ROW),
        (SESSION_FEATURES, {"session_start_ms": 10**18}, Reason.BAD_TIMESTAMP),
        (SESSION_FEATURES, {"session_end_ms": -1}, Reason.BAD_TIMESTAMP),
        (SESSION_FEATURES, {"completeness": math.nan}, Reason.MALFORMED_ROW),
    ],
)
def test_value_that_the_column_cannot_hold_is_rejected(row: Row, changed: dict[str, Any], reason: Reason) -> None:
    good = encode_row(row, row_values(row))
    block = row_block(row, batch_of([good, encode_row(row, row_values(row, **changed)), good]))
    assert {index: error.reason for index, error in block.rejected.items()} == {1: reason}
    assert next(iter(changed)) in block.rejected[1].detail
    assert block.rows.tolist() == [0, 2]


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b"\xff", orjson.dumps({"tenant_id": 1})])
def test_what_is_no_row_is_rejected(value: bytes | None) -> None:
    block = row_block(SESSION_FEATURES, batch_of([value]))
    assert block.rejected[0].reason is Reason.MALFORMED_ROW
    assert len(block) == 0


def test_dead_letter_keeps_the_original_bytes_and_says_where_from() -> None:
    original = b"\x00\xff\xfe not utf-8"
    block = dead_letter_block(
        batch_of(
            [original, None],
            reason=[b"empty", None],
            source_topic=[b"rawframes", None],
            source_partition=[b"2", b"two"],
            source_offset=[b"41", b"9" * 30],
        )
    )
    rows = [{name: values[index] for name, values in block.columns.items()} for index in range(2)]
    assert rows[0]["value"] == original
    first = (rows[0]["reason"], rows[0]["source_topic"], rows[0]["source_partition"], rows[0]["source_offset"])
    assert first == ("empty", "rawframes", 2, 41)
    assert (rows[1]["value"], rows[1]["source_partition"], rows[1]["source_offset"]) == (b"", -1, -1)
    assert block.rejected == {}
