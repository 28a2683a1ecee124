"""Frame rows: sealed envelopes in, the columns of table `rawframes` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from schemas.envelope import unseal
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import (
    DEVICE_STATUS,
    SAMPLE_BLOCK,
    EventEnvelope,
    PayloadType,
    SampleBlock,
)
from udfs.records import BLOCK_PAYLOADS, YEAR_2200_MS, event_digest, open_block
from udfs.row_templates import RowTemplate, learn_row, read_rows
from udfs.shapes import rows_of_one_length
from udfs.table_blocks import Block, KafkaBatch, position_columns

_TIMES = ("sensor_timestamp_ms", "ingest_timestamp_ms", "session_start_ms")
_ENVELOPE_COLUMNS = (
    *("tenant_id", "device_id", "session_id", "sensor_type", "event_type", "site_id", "boot_id"),
    *_TIMES,
    *("schema_version", "sequence", "resent", "payload"),
)
_NUMBERS: dict[str, Any] = {
    **dict.fromkeys(_TIMES, np.int64),
    "schema_version": np.uint16,
    "sequence": np.uint64,
    "resent": np.bool_,
    "sample_rate_hz": np.float64,
    "sample_count": np.uint32,
}
_envelope_values = attrgetter(*_ENVELOPE_COLUMNS)

FEWEST_FRAMES_FOR_TEMPLATE = 100
MOST_TEMPLATES = 8

_CHUNK_ROWS = 256
_ROWS_AT_ONCE = 2_000

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


_FRAME_COLUMNS = (*_ENVELOPE_COLUMNS, "payload_type", "event_id", *BlockShape._fields)


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


class _Frame(NamedTuple):
    """A good frame: the envelope and, in the order of `_FRAME_COLUMNS`, what its row keeps."""

    envelope: EventEnvelope
    columns: tuple[Any, ...]


class _Rows:
    """The rows of a batch, by column; a place for every record, used or not."""

    def __init__(self, batch: KafkaBatch) -> None:
        self.columns = {name: np.empty(len(batch), dtype=_NUMBERS.get(name, object)) for name in _FRAME_COLUMNS}
        self.used = np.zeros(len(batch), dtype=np.bool_)
        self.rejected: dict[int, InvalidMessage] = {}
        self.skipped = 0
        self.read_shape = ShapeReader().read

    def put(self, rows: NDArray[np.intp], columns: Mapping[str, Any]) -> None:
        """Fills places; a column is one value for all of them, or one for each."""
        self.used[rows] = True
        for name, values in columns.items():
            self.columns[name][rows] = values


def rawframes_block(batch: KafkaBatch) -> Block:
    """One row of `rawframes` for each frame; device status events are skipped, they carry no samples.

    The frames have been judged before (`udfs.frames`); here only what would not be a row is refused. Frames are read
    by template where several have one shape, else one by one; both ways give the same rows.
    """
    values = [value or b"" for value in batch.values]
    opened = _Rows(batch)
    for alike in rows_of_one_length(values):
        _open_one_by_one(values, _open_by_template(values, alike, opened), opened)
    rows = np.flatnonzero(opened.used)
    columns = position_columns(batch, rows)
    columns["append_timestamp_ms"] = batch.append_ms[rows]
    for name, column in opened.columns.items():
        columns[name] = column if len(rows) == len(batch) else column[rows]
    block = Block(batch.topic_id, columns, rows, len(batch), opened.rejected, opened.skipped)
    return _without_bad_times(block)


def _open_by_template(values: Sequence[bytes], rows: NDArray[np.intp], opened: _Rows) -> NDArray[np.intp]:
    """Opens frames of one length by templates while they pay, and returns the rest."""
    for _ in range(MOST_TEMPLATES):
        if len(rows) < FEWEST_FRAMES_FOR_TEMPLATE:
            break
        # Every round opens one frame the ordinary way; that frame is done, whatever it teaches.
        template = _learn(values[rows[0]], rows[:1], opened)
        rows = rows[1:]
        if template is not None:
            parts = [rows[begin : begin + _ROWS_AT_ONCE] for begin in range(0, len(rows), _ROWS_AT_ONCE)]
            rows = np.concatenate([_match(template, values, part, opened) for part in parts])
    return rows


def _learn(value: bytes, row: NDArray[np.intp], opened: _Rows) -> RowTemplate | None:
    frame = _open(value, int(row[0]), opened)
    if frame is None:
        return None
    columns = dict(zip(_FRAME_COLUMNS, frame.columns, strict=True))
    opened.put(row, columns)
    return learn_row(value, frame.envelope, columns)


def _match(template: RowTemplate, values: Sequence[bytes], rows: NDArray[np.intp], opened: _Rows) -> NDArray[np.intp]:
    """Opens the frames that match and returns the others."""
    reading = read_rows(template, [values[row] for row in rows.tolist()])
    opened.put(rows[reading.rows], reading.columns)
    return np.delete(rows, reading.rows)


def _open_one_by_one(values: Sequence[bytes], rows: NDArray[np.intp], opened: _Rows) -> None:
    """Opens frames the ordinary way.

    A chunk's tuples are gone before the garbage collector looks at them: on whole batches it took a fifth of the time.
    """
    for begin in range(0, len(rows), _CHUNK_ROWS):
        good, frames = [], []
        for row in rows[begin : begin + _CHUNK_ROWS].tolist():
            frame = _open(values[row], row, opened)
            if frame is not None:
                good.append(row)
                frames.append(frame.columns)
        if good:
            columns = zip(*frames, strict=True)
            opened.put(np.array(good, dtype=np.intp), dict(zip(_FRAME_COLUMNS, columns, strict=True)))


def _open(value: bytes, row: int, opened: _Rows) -> _Frame | None:
    """Opens one frame; None for a bad one, which gets its reason, and for device status."""
    try:
        envelope = unseal(value)
        payload_type = envelope.payload_type
        if payload_type == DEVICE_STATUS:
            opened.skipped += 1
            return None
        if payload_type not in BLOCK_PAYLOADS:
            raise InvalidMessage(Reason.UNKNOWN_PAYLOAD_TYPE, f"payload_type={payload_type}")
        fields = _envelope_values(envelope)
        shape = opened.read_shape(fields[-1]) if payload_type == SAMPLE_BLOCK else _made_shape(envelope)
        return _Frame(envelope, (*fields, PayloadType.Name(payload_type), event_digest(envelope.event_id), *shape))
    except InvalidMessage as error:
        opened.rejected[row] = error
        return None


def _made_shape(envelope: EventEnvelope) -> BlockShape:
    _, block = open_block(envelope)
    return BlockShape(block.unit, block.sample_rate_hz, ",".join(block.channels), block.sample_count)


def _without_bad_times(block: Block) -> Block:
    for name in _TIMES:
        times = block.columns[name]
        good = (times >= 0) & (times < YEAR_2200_MS)
        if not good.all():
            for index in np.flatnonzero(~good):
                block.rejected[int(block.rows[index])] = InvalidMessage(Reason.BAD_TIMESTAMP, f"{name}={times[index]}")
            block = block.take(np.flatnonzero(good))
    return block
