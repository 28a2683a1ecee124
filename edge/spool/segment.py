"""The format of a segment file, as pure functions on bytes.

    segment = header, record, record, ...
    header  = magic 8, version u32, stream id 16, base position u64, created ms i64, CRC u32 of all before it
    record  = mark 4, CRC u32 of all after it, length u32, position u64, payload of `length` bytes
    payload = append ms i64, place in its group u32, length of key u16, length of sensor_ms u8, key, sensor_ms, value

A group is what one commit made durable; the next was written only after that. All numbers are little endian; CRC-32 as
zlib computes it, like the envelope's. The mark is what a reader looks for behind damaged bytes; the position inside the
CRC keeps a record that stands in the wrong place from being taken for another.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

from edge.spool.errors import RecordRefused, SpoolFormatError
from schemas.envelope import MAX_FRAME_BYTES, Record
from schemas.errors import Reason
from schemas.headers import SENSOR_MS

MAGIC = b"\x89BSPOOL\n"
VERSION = 1
STREAM_ID_BYTES = 16
MARK = b"\xc5\x1eRe"

RESENT_BYTES = 2
"""What setting `resent` adds to an envelope."""
MAX_VALUE_BYTES = MAX_FRAME_BYTES - RESENT_BYTES
MAX_KEY_BYTES = 4_096
MAX_SENSOR_MS_BYTES = 32

_HEADER = struct.Struct("<8sI16sQqI")
_FRAME = struct.Struct("<4sIIQ")
_BODY = struct.Struct("<IQqIHB")
_PAYLOAD = struct.Struct("<qIHB")
_CRC = struct.Struct("<I")

HEADER_BYTES = _HEADER.size
FRAME_BYTES = _FRAME.size
MAX_PAYLOAD_BYTES = _PAYLOAD.size + MAX_KEY_BYTES + MAX_SENSOR_MS_BYTES + MAX_VALUE_BYTES
MAX_RECORD_BYTES = FRAME_BYTES + MAX_PAYLOAD_BYTES
_LENGTH_AT = len(MARK) + _CRC.size


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a segment: which stream it belongs to, its first position, and when it was made."""

    stream_id: bytes
    base: int
    created_ms: int

    def to_bytes(self) -> bytes:
        """The header as it stands in the file."""
        body = _HEADER.pack(MAGIC, VERSION, self.stream_id, self.base, self.created_ms, 0)[: -_CRC.size]
        return body + _CRC.pack(crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Header | None:
        """The header at the beginning of `data`; None if there is none that is whole.

        Raises:
            SpoolFormatError: if it is whole, and of another version.
        """
        if len(data) < HEADER_BYTES:
            return None
        magic, version, stream_id, base, created_ms, crc = _HEADER.unpack_from(data)
        if magic != MAGIC or crc != crc32(data[: HEADER_BYTES - _CRC.size]):
            return None
        if version != VERSION:
            raise SpoolFormatError(f"segment of base {base} has format version {version}; this program reads {VERSION}")
        return cls(stream_id, base, created_ms)


@dataclass(frozen=True, slots=True)
class Placing:
    """Where and when the first record of a batch is appended; `place` counts from 0 in its group."""

    position: int
    place: int
    append_ms: int


def encode_batch(records: Sequence[Record], first: Placing) -> list[bytes]:
    """Records as they stand in a segment.

    Raises:
        RecordRefused: naming the first record that is oversized or has other headers than `sensor_ms`.
    """
    return [_encode(record, first, index) for index, record in enumerate(records)]


def _encode(record: Record, first: Placing, index: int) -> bytes:
    key, value, headers = record.key, record.value, record.headers
    sensor_ms = headers.get(SENSOR_MS)
    if sensor_ms is None or len(headers) != 1:
        raise RecordRefused(Reason.HEADER_MISMATCH, f"headers {sorted(headers)}, want {SENSOR_MS} alone", index=index)
    if len(value) > MAX_VALUE_BYTES or len(key) > MAX_KEY_BYTES or len(sensor_ms) > MAX_SENSOR_MS_BYTES:
        sizes = f"value {len(value)} (limit {MAX_VALUE_BYTES}), key {len(key)}, {SENSOR_MS} {len(sensor_ms)}"
        raise RecordRefused(Reason.OVERSIZED, f"key={key[:200]!r}: bytes of {sizes}", index=index)
    length = _PAYLOAD.size + len(key) + len(sensor_ms) + len(value)
    placing = (first.position + index, first.append_ms, first.place + index)
    body = _BODY.pack(length, *placing, len(key), len(sensor_ms)) + key + sensor_ms + value
    return MARK + _CRC.pack(crc32(body)) + body


@dataclass(frozen=True, slots=True)
class SpooledRecord:
    """A record as it comes out of the spool.

    Attributes:
        position: counted from 0 over the life of the spool.
        append_ms: wall clock at which it was appended, ms since the epoch.
        record: byte for byte as it was appended.
    """

    position: int
    append_ms: int
    record: Record


def append_ms_of(payload: memoryview) -> int:
    """When a payload was appended."""
    append_ms: int = _PAYLOAD.unpack_from(payload)[0]
    return append_ms


def group_begin_of(position: int, payload: memoryview) -> int:
    """The first position of the group in which a record was committed."""
    place: int = _PAYLOAD.unpack_from(payload)[1]
    return position - place


def decode_payload(position: int, payload: memoryview) -> SpooledRecord:
    """The record in a payload whose CRC was right."""
    append_ms, _, key_bytes, sensor_ms_bytes = _PAYLOAD.unpack_from(payload)
    key_end = _PAYLOAD.size + key_bytes
    value_begin = key_end + sensor_ms_bytes
    headers = {SENSOR_MS: bytes(payload[key_end:value_begin])}
    record = Record(bytes(payload[_PAYLOAD.size : key_end]), bytes(payload[value_begin:]), headers)
    return SpooledRecord(position, append_ms, record)


@dataclass(slots=True)
class Scan:
    """What stands in a stretch of a segment.

    Attributes:
        positions, offsets, payloads: of the good records, in order; an offset is where the record's mark stands.
        bad: byte ranges in which there is no good record, as (begin, end) from the beginning of the stretch.
        good_end: where the last good record ends, 0 if there is none.
    """

    positions: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    payloads: list[memoryview] = field(default_factory=list)
    bad: list[tuple[int, int]] = field(default_factory=list)
    good_end: int = 0

    def gaps(self, first: int) -> list[tuple[int, int]]:
        """Runs of positions from `first` on that are missing before a record that is there."""
        gaps: list[tuple[int, int]] = []
        for position in self.positions:
            if position != first:
                gaps.append((first, position))
            first = position + 1
        return gaps


def scan(data: bytes, first: int, end: int) -> Scan:
    """All good records of positions `[first, end)` in a stretch of a segment, whatever stands between them.

    Positions only rise: a whole record at or behind the last one, or beyond `end`, is an older copy and is passed over.
    """
    found = Scan()
    view, size, offset = memoryview(data), len(data), 0
    while offset < size:
        record_end = _record_end(data, view, offset)
        if not record_end:
            offset = _pass_over(data, view, offset, found)
            continue
        position: int = _FRAME.unpack_from(data, offset)[3]
        if first <= position < end:
            found.positions.append(position)
            found.offsets.append(offset)
            found.payloads.append(view[offset + FRAME_BYTES : record_end])
            first = position + 1
        offset = found.good_end = record_end
    return found


def _record_end(data: bytes, view: memoryview, offset: int) -> int:
    """Where the good record at `offset` ends; 0 if there is none. The length is checked before it is used."""
    if len(data) - offset < FRAME_BYTES:
        return 0
    mark, crc, length, _ = _FRAME.unpack_from(data, offset)
    end: int = offset + FRAME_BYTES + length
    if mark != MARK or not _PAYLOAD.size <= length <= MAX_PAYLOAD_BYTES or end > len(data):
        return 0
    return end if crc32(view[offset + _LENGTH_AT : end]) == crc else 0


def _pass_over(data: bytes, view: memoryview, offset: int, found: Scan) -> int:
    """Note the damage at `offset` and return where the next good record begins, or the end of the data."""
    candidate = data.find(MARK, offset + 1)
    while candidate >= 0 and not _record_end(data, view, candidate):
        candidate = data.find(MARK, candidate + 1)
    next_offset = candidate if candidate >= 0 else len(data)
    found.bad.append((offset, next_offset))
    return next_offset
