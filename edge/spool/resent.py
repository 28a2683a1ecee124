"""The flag that makes the store look before it adds: the same event, sent again."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from schemas.envelope import Record, seal
from schemas.proto.envelope_pb2 import EventEnvelope


def flagged_as_resent(record: Record) -> Record:
    """The record with `resent` set in its envelope; every other field, the event id among them, is the same.

    What is no envelope goes as it is: the line's validation gives it its reason.
    """
    try:
        envelope = EventEnvelope.FromString(record.value)
    except DecodeError:
        return record
    if envelope.resent:
        return record
    envelope.resent = True
    return Record(record.key, seal(envelope), record.headers)
