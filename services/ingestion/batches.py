"""The body of a request, opened: sealed envelopes out of protobuf, objects out of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from schemas.proto.ingest_pb2 import IngestBatch
from services.ingestion.problems import Fault, ProblemError

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MEDIA_TYPES = (PROTOBUF, JSON)
ENVELOPES = "envelopes"

_VARINT, _FIXED64, _LENGTH, _GROUP, _GROUP_END, _FIXED32 = range(6)
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10


def known_media_type(content_type: str | None) -> str:
    """The media type that a header names, without its parameters.

    Raises:
        ProblemError: if it is none of ours.
    """
    name = (content_type or "").partition(";")[0].strip().lower()
    if name not in MEDIA_TYPES:
        detail = f"{content_type!r}: send one of {', '.join(MEDIA_TYPES)}"
        raise ProblemError(Fault.UNKNOWN_TYPE, detail[:300], field="Content-Type")
    return name


def open_protobuf(body: bytes, max_records: int) -> Sequence[bytes]:
    """The sealed envelopes of an `IngestBatch`.

    Raises:
        ProblemError: if it is none, is empty, or holds too many.
    """
    if count_fields(body, max_records) > max_records:
        raise _too_many(max_records)
    try:
        envelopes = list(IngestBatch.FromString(body).envelopes)
    except DecodeError as error:
        raise ProblemError(Fault.MALFORMED_BODY, f"the body is no IngestBatch: {error}"[:300]) from error
    if not envelopes:
        raise _none()
    return envelopes


def open_json(body: bytes, max_records: int) -> tuple[Sequence[Any], str]:
    """The events of a JSON body, and the path of the list that they stand in: empty for a single one.

    Raises:
        ProblemError: if it is no JSON, no object, or holds none or too many.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(Fault.MALFORMED_BODY, f"the body is no JSON: {error}"[:300]) from error
    if not isinstance(document, dict):
        raise ProblemError(Fault.MALFORMED_BODY, f"a JSON {type(document).__name__}, not an object")
    if ENVELOPES not in document:
        return [document], ""
    events = document[ENVELOPES]
    others = sorted(document.keys() - {ENVELOPES})
    if others:
        raise ProblemError(Fault.MALFORMED_BODY, f"{others[0][:100]!r} beside {ENVELOPES!r}", field=others[0][:100])
    if not isinstance(events, list):
        raise ProblemError(Fault.MALFORMED_BODY, f"a JSON {type(events).__name__}, not a list", field=ENVELOPES)
    if len(events) > max_records:
        raise _too_many(max_records)
    if not events:
        raise _none()
    return events, ENVELOPES


def count_fields(body: bytes, limit: int) -> int:
    """How many top-level fields a protobuf message has, up to `limit` + 1; fewer if it is malformed.

    Millions of empty envelopes fit into a few MiB and take a hundred times that when parsed, so they are counted first.
    """
    count = position = 0
    while position < len(body) and count <= limit:
        tag, position = _varint(body, position)
        kind = tag & 7
        if kind == _VARINT:
            _, position = _varint(body, position)
        elif kind == _LENGTH:
            size, position = _varint(body, position)
            position += size
        elif kind in _FIXED_BYTES:
            position += _FIXED_BYTES[kind]
        elif kind not in (_GROUP, _GROUP_END):
            return count
        # The fields within a group count as well: nothing that is parsed goes uncounted.
        count += 1
    return count


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """A varint and the position behind it; the end of the body if it is none."""
    value = 0
    for index in range(_LONGEST_VARINT):
        if position + index >= len(body):
            break
        byte = body[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    return 0, len(body)


def _too_many(max_records: int) -> ProblemError:
    return ProblemError(Fault.TOO_LARGE, f"over {max_records} records in one request", field=ENVELOPES)


def _none() -> ProblemError:
    return ProblemError(Fault.MALFORMED_BODY, "no envelopes", field=ENVELOPES)
