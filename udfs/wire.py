"""Reading many frames of one shape at once, straight from their bytes.

Frames of one device model differ in few places: identifiers, times, event id, samples. `learn` takes one frame that
the ordinary path has accepted and notes where these places are; `match` then reads all frames of a batch whose
other bytes are the same, as columns. A frame that does not match is not wrong: it takes the ordinary path
(`udfs/records.py`), which alone can reject. Why this is worth its own code:
docs/adr/0003-frames-by-template.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import IDENTIFIER, RecordKey
from schemas.proto.envelope_pb2 import EventEnvelope, SampleBlock
from udfs.layouts import Layout
from udfs.records import YEAR_2200_MS

Bytes2D = NDArray[np.uint8]

_ENVELOPE, _BLOCK = EventEnvelope.DESCRIPTOR.fields_by_name, SampleBlock.DESCRIPTOR.fields_by_name
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 8
_FREE_STRINGS = ("site_id", "boot_id")
_VARINTS = ("sensor_timestamp_ms", "ingest_timestamp_ms", "sequence", "session_start_ms")

_HEX = np.full(256, 255, dtype=np.uint8)
_HEX[list(b"0123456789abcdefABCDEF")] = [*range(16), *range(10, 16)]
_IS_IDENTIFIER = np.array([IDENTIFIER.fullmatch(chr(byte)) is not None for byte in range(256)])
_DIGIT_ZERO = ord("0")


class Span(NamedTuple):
    """Where a field's content lies in a value."""

    start: int
    end: int

    @property
    def columns(self) -> slice:
        """For indexing a matrix of values."""
        return slice(self.start, self.end)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The shape of a frame.

    Attributes:
        layout: of its samples.
        resent, scale, offset: as in the frame it was learned from; they are part of the shape.
        fixed: the columns whose bytes must equal `sample`.
        sample: the frame it was learned from.
        fields: spans of the envelope fields that vary, by name, and of `start_us` and `data` of the block.
        key: spans of the key's parts, by name.
    """

    layout: Layout
    resent: bool
    scale: float
    offset: float
    fixed: NDArray[np.intp]
    sample: Bytes2D
    fields: dict[str, Span]
    key: dict[str, Span]


class Columns(NamedTuple):
    """Frames of one layout, a column for each fact; all of one length.

    Attributes:
        rows: their places in the batch.
        events: the two halves of the event id, shape [n, 2].
        start_us, session_start_ms: as in block and envelope.
        resent: flag of each frame.
        data: the block's bytes, shape [n, data_bytes].
        scale, offset: of scaled_int16, shape [n].
    """

    rows: NDArray[np.intp]
    events: NDArray[np.uint64]
    start_us: NDArray[np.int64]
    session_start_ms: NDArray[np.int64]
    resent: NDArray[np.bool_]
    data: Bytes2D
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


def learn(value: bytes, envelope: EventEnvelope, block: SampleBlock, layout: Layout) -> Template | None:
    """The shape of a frame that the ordinary path accepted; None if it has one that columns can't be read from."""
    outer = _spans(value, 0, len(value))
    payload = outer.get(_ENVELOPE["payload"].number) if outer else None
    inner = _spans(value, payload.start, payload.end, repeated=_BLOCK["channels"].number) if payload else None
    if outer is None or inner is None:
        return None
    fields = {name: outer[_ENVELOPE[name].number] for name in _variable_fields() if _ENVELOPE[name].number in outer}
    fields |= {name: inner[_BLOCK[name].number] for name in ("start_us", "data") if _BLOCK[name].number in inner}
    needed = {"event_id", "tenant_id", "device_id", "session_id", "sensor_timestamp_ms", "start_us", "data"}
    varints = [fields[name] for name in (*_VARINTS, "start_us") if name in fields]
    if not needed <= fields.keys() or any(span.end - span.start > _LONGEST_VARINT for span in varints):
        return None
    varies = np.zeros(len(value), dtype=bool)
    for span in fields.values():
        varies[span.columns] = True
    varies[-4:] = True
    sample = np.frombuffer(value, dtype=np.uint8)
    return Template(
        layout, envelope.resent, block.scale, block.offset, np.flatnonzero(~varies), sample, fields, _key_spans(fields)
    )


def _variable_fields() -> tuple[str, ...]:
    return ("event_id", "tenant_id", "device_id", "session_id", *_FREE_STRINGS, *_VARINTS)


def _key_spans(fields: dict[str, Span]) -> dict[str, Span]:
    """Where the identifiers stand in the key; what follows the last of them is the sensor type."""
    spans, position = {}, 0
    for name in RecordKey._fields[:-1]:
        length = fields[name].end - fields[name].start
        spans[name] = Span(position, position + length)
        position += length + 1
    return spans


def _spans(value: bytes, start: int, end: int, repeated: int = 0) -> dict[int, Span] | None:
    """Field number -> content span; None for a message in which a field other than `repeated` stands twice."""
    found: dict[int, Span] = {}
    for number, span in _walk(value, start, end):
        if number in found and number != repeated:
            return None
        found[number] = span
    return found


def _walk(value: bytes, position: int, end: int) -> Iterator[tuple[int, Span]]:
    """The fields of a message that protobuf has parsed before, so that it is known to be well formed."""
    while position < end:
        tag, position = _read_varint(value, position)
        kind = tag & 7
        if kind == _VARINT:
            _, after = _read_varint(value, position)
        elif kind == _BYTES:
            length, position = _read_varint(value, position)
            after = position + length
        else:
            after = position + (8 if kind == _FIXED64 else 4)
        yield tag >> 3, Span(position, after)
        position = after


def _read_varint(value: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = value[position]
        result |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return result, position
        shift += 7


def match(template: Template, keys: Bytes2D, values: Bytes2D, sensor_ms: Bytes2D) -> tuple[NDArray[np.bool_], Columns]:
    """Reads the frames that have the template's shape and in which key, header and envelope agree.

    Args:
        template: of frames as long as these.
        keys: of the records, shape [n, length].
        values: likewise.
        sensor_ms: the header of that name, likewise.

    Returns:
        Which frames match, shape [n], and their columns; rows index into the n. CRCs are not looked at here.
    """
    fields = template.fields
    good = (values[:, template.fixed] == template.sample[template.fixed]).all(axis=1)
    good &= _key_agrees(template, keys, values)
    for name in _FREE_STRINGS:
        if name in fields:
            good &= (values[:, fields[name].columns] < 0x80).all(axis=1)
    times: dict[str, NDArray[np.int64]] = {}
    for name in (*_VARINTS, "start_us"):
        if name in fields:
            times[name], well_formed = _varints(values[:, fields[name].columns])
            good &= well_formed
    nibbles = _HEX[values[:, fields["event_id"].columns]]
    good &= (nibbles < 16).all(axis=1)
    appointed = times["sensor_timestamp_ms"]
    begun = times.get("session_start_ms", np.zeros(len(values), dtype=np.int64))
    good &= _header_agrees(sensor_ms, appointed) & (times["start_us"] // 1000 == appointed)
    good &= (appointed >= 0) & (appointed < YEAR_2200_MS) & (begun >= 0) & (begun <= appointed)
    rows = np.flatnonzero(good)
    count = len(rows)
    # All of a batch match, as a rule: then nothing is copied.
    taken: slice | NDArray[np.intp] = slice(None) if count == len(values) else rows
    return good, Columns(
        rows,
        (nibbles[taken, 0::2] << 4 | nibbles[taken, 1::2]).view(">u8").astype(np.uint64),
        times["start_us"][taken],
        begun[taken],
        np.full(count, template.resent),
        values[taken, fields["data"].columns],
        np.full(count, template.scale),
        np.full(count, template.offset),
    )


def _key_agrees(template: Template, keys: Bytes2D, values: Bytes2D) -> NDArray[np.bool_]:
    """Whether the key is the envelope's identifiers, of allowed characters, slashes and sensor type."""
    good = np.ones(len(keys), dtype=bool)
    for name, span in template.key.items():
        part = keys[:, span.columns]
        good &= (part == values[:, template.fields[name].columns]).all(axis=1) & _IS_IDENTIFIER[part].all(axis=1)
        good &= keys[:, span.end] == ord("/")
    sensor = np.frombuffer(template.layout.sensor.sensor_type.encode(), dtype=np.uint8)
    tail = keys[:, template.key["session_id"].end + 1 :]
    return good & (tail == sensor).all(axis=1) if tail.shape[1] == len(sensor) else np.zeros(len(keys), dtype=bool)


def _varints(columns: Bytes2D) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Little-endian groups of seven bits; well formed if only the last byte lacks the continuation bit."""
    total = np.zeros(len(columns), dtype=np.int64)
    for index in range(columns.shape[1]):
        total |= (columns[:, index] & 0x7F).astype(np.int64) << (7 * index)
    return total, (columns[:, :-1] >= 0x80).all(axis=1) & (columns[:, -1] < 0x80)


def _header_agrees(header: Bytes2D, appointed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the header is the time in decimal, without leading zeros."""
    length = header.shape[1]
    if not 0 < length < 19:
        return np.zeros(len(header), dtype=bool)
    digits = header.astype(np.int64) - _DIGIT_ZERO
    number = digits @ (10 ** np.arange(length - 1, -1, -1, dtype=np.int64))
    in_range = ((digits >= 0) & (digits <= 9)).all(axis=1)
    agrees: NDArray[np.bool_] = in_range & (number == appointed) & ((digits[:, 0] > 0) | (length == 1))
    return agrees
