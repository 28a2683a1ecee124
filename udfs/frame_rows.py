"""Frame rows: sealed envelopes in, the columns of table `rawframes` out."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from schemas.envelope import unseal
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import DEVICE_STATUS, SAMPLE_BLOCK, PayloadType, SampleBlock
from udfs.records import YEAR_2200_MS, event_digest
from udfs.table_blocks import Block, ColumnArray, KafkaBatch, object_array, position_columns

_STRINGS = ("tenant_id", "device_id", "session_id", "sensor_type", "event_type", "site_id", "boot_id")
_TIMES = ("sensor_timestamp_ms", "ingest_timestamp_ms", "session_start_ms")
_NUMBERS = {"schema_version": np.uint16, "sequence": np.uint64, "resent": np.bool_}
_ENVELOPE_COLUMNS = (*_STRINGS, *_TIMES, *_NUMBERS, "payload")
_envelope_values = attrgetter(*_ENVELOPE_COLUMNS)

# start_us is the first field: one tag byte, then a varint which takes 8 bytes from 1987 to 3911.
_START_TAG = SampleBlock.START_US_FIELD_NUMBER << 3
_SHAPE_BEGIN = 9
_VARINT_FLAGS = 0x8080_8080_8080_8080
_VARINT_OF_8 = 0x8080_8080_8080_8000


class BlockShape(NamedTuple):
    """What a row keeps of a sample block, besides its bytes; channel names are joined by commas."""

    unit: str
    sample_rate_hz: float
    channels: str
    sample_count: int


@dataclass(slots=True)
class ShapeReader:
    """Reads the shape of sample blocks, parsing only those whose shape it has not just seen.

    Consecutive blocks of a sensor differ in `start_us` and in their samples, which stand first and last. A
    payload of the same length whose bytes between them are the same has the same shape: comparing them takes
    a third of the time that parsing does (0.6 against 1.9 microseconds).
    """

    _known: dict[int, tuple[int, bytes, BlockShape]] = field(default_factory=dict)

    def read(self, payload: bytes) -> BlockShape:
        """The shape of a serialised `SampleBlock`.

        Raises:
            InvalidMessage: if the payload is none.
        """
        known = self._known.get(len(payload))
        if known is not None:
            data_begin, middle, shape = known
            if payload[_SHAPE_BEGIN:data_begin] == middle and _begins_with_start(payload):
                return shape
        return self._parse(payload)

    def _parse(self, payload: bytes) -> BlockShape:
        try:
            block = SampleBlock.FromString(payload)
        except DecodeError as error:
            raise InvalidMessage(Reason.MALFORMED_PAYLOAD, f"sample block: {error}") from error
        shape = BlockShape(block.unit, block.sample_rate_hz, ",".join(block.channels), block.sample_count)
        data_begin = len(payload) - len(block.data)
        if block.data and payload.endswith(block.data) and _begins_with_start(payload) and data_begin > _SHAPE_BEGIN:
            self._known[len(payload)] = (data_begin, payload[_SHAPE_BEGIN:data_begin], shape)
        return shape


def _begins_with_start(payload: bytes) -> bool:
    flags = int.from_bytes(payload[1:_SHAPE_BEGIN], "big") & _VARINT_FLAGS
    return payload[0] == _START_TAG and flags == _VARINT_OF_8


@dataclass(slots=True)
class _Opened:
    """The good frames of a batch, by row."""

    rows: list[int] = field(default_factory=list)
    envelopes: list[tuple[Any, ...]] = field(default_factory=list)
    event_ids: list[bytes] = field(default_factory=list)
    shapes: list[BlockShape] = field(default_factory=list)
    rejected: dict[int, InvalidMessage] = field(default_factory=dict)
    skipped: int = 0


def rawframes_block(batch: KafkaBatch) -> Block:
    """One row of `rawframes` for each frame; device status events are skipped, they carry no samples.

    The frames have been judged before (`udfs.frames`); here only what would not be a row is refused.
    """
    opened = _open(batch)
    rows = np.array(opened.rows, dtype=np.intp)
    columns = position_columns(batch, rows)
    columns["append_timestamp_ms"] = batch.append_ms[rows]
    columns["event_id"] = object_array(opened.event_ids)
    columns |= _envelope_columns(opened.envelopes)
    columns |= _shape_columns(opened.shapes)
    block = Block(batch.topic_id, columns, rows, len(batch), opened.rejected, opened.skipped)
    return _without_bad_times(block)


def _open(batch: KafkaBatch) -> _Opened:
    opened = _Opened()
    read_shape = ShapeReader().read
    for row, value in enumerate(batch.values):
        try:
            envelope = unseal(value or b"")
            payload_type = envelope.payload_type
            if payload_type == DEVICE_STATUS:
                opened.skipped += 1
                continue
            if payload_type != SAMPLE_BLOCK:
                raise InvalidMessage(Reason.UNKNOWN_PAYLOAD_TYPE, f"payload_type={payload_type}")
            event_id = event_digest(envelope.event_id)
            values = _envelope_values(envelope)
            shape = read_shape(values[-1])
        except InvalidMessage as error:
            opened.rejected[row] = error
            continue
        opened.rows.append(row)
        opened.envelopes.append(values)
        opened.event_ids.append(event_id)
        opened.shapes.append(shape)
    return opened


def _envelope_columns(envelopes: list[tuple[Any, ...]]) -> dict[str, ColumnArray]:
    by_name = dict(zip(_ENVELOPE_COLUMNS, zip(*envelopes, strict=True), strict=True)) if envelopes else {}
    columns: dict[str, ColumnArray] = {name: object_array(by_name.get(name, ())) for name in (*_STRINGS, "payload")}
    for name in _TIMES:
        columns[name] = np.array(by_name.get(name, ()), dtype=np.int64)
    for name, dtype in _NUMBERS.items():
        columns[name] = np.array(by_name.get(name, ()), dtype=dtype)
    columns["payload_type"] = object_array([PayloadType.Name(SAMPLE_BLOCK)] * len(envelopes))
    return columns


def _shape_columns(shapes: list[BlockShape]) -> dict[str, ColumnArray]:
    unit, rate, channels, count = zip(*shapes, strict=True) if shapes else ((), (), (), ())
    return {
        "unit": object_array(unit),
        "sample_rate_hz": np.array(rate, dtype=np.float64),
        "channels": object_array(channels),
        "sample_count": np.array(count, dtype=np.uint32),
    }


def _without_bad_times(block: Block) -> Block:
    for name in _TIMES:
        times = block.columns[name]
        good = (times >= 0) & (times < YEAR_2200_MS)
        if not good.all():
            for index in np.flatnonzero(~good):
                block.rejected[int(block.rows[index])] = InvalidMessage(Reason.BAD_TIMESTAMP, f"{name}={times[index]}")
            block = block.take(np.flatnonzero(good))
    return block
