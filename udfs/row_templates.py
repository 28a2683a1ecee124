"""Reading many frames of one shape at once as columns of table `rawframes`, straight from their bytes.

As `udfs.wire` does for validation, whose `learn` finds the places where frames of one shape differ. A row keeps other
things of a frame than a summary does (site, boot, sequence, the payload's bytes), and nothing is compared with key and
header here. A frame that does not match is not wrong: it takes the ordinary path in `udfs.frame_rows`, which alone can
reject.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import CRC_RESIDUE
from schemas.errors import InvalidMessage
from schemas.proto.envelope_pb2 import EventEnvelope, SampleBlock
from udfs.layouts import layout_of
from udfs.table_blocks import object_array
from udfs.wire import Bytes2D, Span, learn

TEXTS = ("tenant_id", "device_id", "session_id", "site_id", "boot_id")
NUMBERS = ("sensor_timestamp_ms", "ingest_timestamp_ms", "session_start_ms", "sequence")

_LONG_DATA_BYTES = 1024
_EVENT_BYTES = 16
_TOP_BIT = 0x80
_START_TAG = SampleBlock.START_US_FIELD_NUMBER << 3
_IS_HEX = np.zeros(256, dtype=np.bool_)
_IS_HEX[list(b"0123456789abcdefABCDEF")] = True

# A varint has seven bits in each byte. Each step joins neighbours: 8 groups of 7 bits, 4 of 14, 2 of 28, 1 of 56.
_SEVEN_BITS = 0x7F7F_7F7F_7F7F_7F7F
_JOINS = (
    (1, 0x007F_007F_007F_007F, 0x7F00_7F00_7F00_7F00),
    (2, 0x0000_3FFF_0000_3FFF, 0x3FFF_0000_3FFF_0000),
    (4, 0x0000_0000_0FFF_FFFF, 0x0FFF_FFFF_0000_0000),
)


@dataclass(frozen=True, slots=True, eq=False)
class RowTemplate:
    """The shape of a frame and the row of the one it was learned from.

    Attributes:
        payload: where it stands in a frame.
        cut: samples that are left out before frames become a matrix, for the copy would take longer than the rest.
        sample: what remains of that frame, shape [length].
        fixed: which bits of a frame of this shape are the sample's, shape [length]. Of what varies these are the top
            bits, which say that a text is ASCII and where a varint ends; of the CRC none.
        fields: spans of what varies, by name, in what remains.
        row: column -> value; what has no span is the same in all frames of the shape.
    """

    payload: Span
    cut: Span
    sample: NDArray[np.uint8]
    fixed: NDArray[np.uint8]
    fields: Mapping[str, Span]
    row: Mapping[str, Any]


class Reading(NamedTuple):
    """What a template has read.

    Attributes:
        rows: places of the frames that match and have a good CRC, ascending; an index into the values.
        columns: for each column of the template's row one value for all of them, or an array of shape [rows].
    """

    rows: NDArray[np.intp]
    columns: dict[str, Any]


def learn_row(value: bytes, envelope: EventEnvelope, row: Mapping[str, Any]) -> RowTemplate | None:
    """The shape of a frame that the ordinary path has made a row of; None if it has one that can't be read so."""
    try:
        block = SampleBlock.FromString(envelope.payload)
        template = learn(value, envelope, block, layout_of(envelope.sensor_type, block))
    except InvalidMessage:
        return None
    # start_us must be the payload's first field: then the payload begins one byte, the tag, before it.
    if template is None or envelope.payload[0] != _START_TAG:
        return None
    if not all(str(row[name]).isascii() for name in TEXTS):
        return None
    begin = template.fields["start_us"].start - 1
    payload = Span(begin, begin + len(envelope.payload))
    data = template.fields["data"]
    cut = data if data.end - data.start >= _LONG_DATA_BYTES else Span(0, 0)
    fixed = np.zeros(len(value), dtype=np.uint8)
    fixed[template.fixed] = 255
    for name in template.fields.keys() - {"data"}:
        fixed[template.fields[name].columns] = _TOP_BIT
    kept = np.delete(np.arange(len(value)), cut.columns)
    fields = {name: _moved(span, cut) for name, span in template.fields.items() if name != "data"}
    return RowTemplate(payload, cut, template.sample[kept], fixed[kept], fields, row)


def _moved(span: Span, cut: Span) -> Span:
    """Where a span lies once the cut is out; the two do not overlap."""
    shift = cut.end - cut.start if span.start >= cut.end else 0
    return Span(span.start - shift, span.end - shift)


def _matrix(values: Sequence[bytes], cut: Span) -> Bytes2D:
    begin, end = cut
    kept = [value[:begin] + value[end:] for value in values] if end else values
    return np.frombuffer(b"".join(kept), dtype=np.uint8).reshape(len(values), -1)


def read_rows(template: RowTemplate, values: Sequence[bytes]) -> Reading:
    """Reads those of the frames, which are all as long as the template's sample, that have its shape."""
    matrix = _matrix(values, template.cut)
    events = matrix[:, template.fields["event_id"].columns]
    good = np.fromiter(map(zlib.crc32, values), np.uint32, len(values)) == CRC_RESIDUE
    good &= _same_shape(template, matrix) & _all(_IS_HEX.take(events))
    rows = np.flatnonzero(good)
    if len(rows) < len(values):
        values, matrix, events = [values[row] for row in rows.tolist()], matrix[rows], events[rows]
    columns = dict(template.row)
    for name in set(template.fields).intersection(TEXTS):
        columns[name] = _texts(template, matrix, name)
    for name in set(template.fields).intersection(NUMBERS):
        columns[name] = varints(matrix[:, template.fields[name].columns])
    columns["event_id"] = _events(events)
    payload = template.payload.columns
    columns["payload"] = object_array([value[payload] for value in values])
    return Reading(rows, columns)


def _same_shape(template: RowTemplate, matrix: Bytes2D) -> NDArray[np.bool_]:
    differs = matrix ^ template.sample
    differs &= template.fixed
    return ~differs.any(axis=1) if differs.any() else np.ones(len(matrix), dtype=np.bool_)


def _all(facts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows of a matrix are all true. Usually all are, and to find that takes a tenth of the time."""
    return np.ones(len(facts), dtype=np.bool_) if facts.all() else facts.all(axis=1)


def varints(columns: Bytes2D) -> NDArray[np.int64]:
    """The numbers of well-formed protobuf varints of up to 8 bytes, shape [n, bytes]."""
    padded = np.zeros((len(columns), 8), dtype=np.uint8)
    padded[:, : columns.shape[1]] = columns
    number = padded.view("<u8")[:, 0] & np.uint64(_SEVEN_BITS)
    for shift, low, high in _JOINS:
        number = number & np.uint64(low) | (number & np.uint64(high)) >> np.uint64(shift)
    return number.astype(np.int64)


def _texts(template: RowTemplate, matrix: Bytes2D, name: str) -> Any:
    """One text where all frames have the same, else an array."""
    span = template.fields[name]
    content = matrix[:, span.columns]
    if (content == template.sample[span.columns]).all():
        return template.row[name]
    # One text of all, cut: a decode for each would take three times as long.
    length = span.end - span.start
    joined = content.tobytes().decode("ascii")
    return object_array([joined[begin : begin + length] for begin in range(0, len(joined), length)])


def _events(hexadecimal: Bytes2D) -> NDArray[np.object_]:
    joined = bytes.fromhex(hexadecimal.tobytes().decode("ascii"))
    return object_array(np.frombuffer(joined, dtype=f"V{_EVENT_BYTES}").tolist())
