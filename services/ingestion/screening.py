"""Screening: which records of a request may go to Kafka, and why the others may not.

A record passes exactly if the line will take it: the last judge is `udfs.frames.validate_frames`, which the jobs use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from schemas.envelope import Record, make_event_id, record_of, seal, unseal
from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from schemas.proto.envelope_pb2 import COUNTER_READING, DEVICE_STATUS, MESH, SAMPLE_BLOCK, EventEnvelope
from services.ingestion.json_events import JsonRequest, WrongFieldError, read_event
from services.ingestion.keys import Grant
from udfs.frames import validate_frames

MAX_DETAIL = 300

_PAYLOAD_FIELDS = {
    Reason.UNIT_MISMATCH: "unit",
    Reason.BAD_CHANNELS: "channels",
    Reason.BAD_SAMPLE_RATE: "sample_rate_hz",
    Reason.SAMPLE_COUNT_MISMATCH: "values",
    Reason.NON_FINITE_VALUE: "values",
    Reason.VALUE_OUT_OF_RANGE: "values",
    Reason.MALFORMED_PAYLOAD: "",
}
_FIELDS = {
    Reason.UNKNOWN_SENSOR: "sensor_type",
    Reason.FOREIGN_TENANT: "tenant_id",
    Reason.FOREIGN_DEVICE: "device_id",
    Reason.UNKNOWN_SCHEMA_VERSION: "schema_version",
    Reason.UNKNOWN_PAYLOAD_TYPE: "payload_type",
}
_PAYLOADS = {
    SAMPLE_BLOCK: "sample_block",
    COUNTER_READING: "counter_reading",
    MESH: "mesh",
    DEVICE_STATUS: "device_status",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record is refused for good.

    Attributes:
        reason: the code of the line's dead letters.
        detail: the offending value and its place.
        field: its path in the request; empty where none is to blame alone.
    """

    reason: Reason
    detail: str
    field: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether another key would let it pass."""
        return self.reason in (Reason.FOREIGN_TENANT, Reason.FOREIGN_DEVICE)


@dataclass(slots=True)
class Screened:
    """One record of a request: ready for Kafka, or with the reason why not.

    Attributes:
        event_id: empty if it is not known.
        record: None if it is rejected.
        rejection: None if it is not.
        payload: which payload it has, as it is called in JSON.
    """

    event_id: str = ""
    record: Record | None = None
    rejection: Rejection | None = None
    payload: str = ""

    def reject(self, rejection: Rejection) -> None:
        """Marks it as rejected."""
        self.record, self.rejection = None, rejection


def screen_protobuf(values: Sequence[bytes], grant: Grant, now_ms: int) -> list[Screened]:
    """Screens sealed envelopes; their bytes go to Kafka as they are.

    Args:
        values: the envelopes.
        grant: what the key covers.
        now_ms: wall clock of the service.
    """
    return _screen([partial(_unsealed, value) for value in values], grant, now_ms, "envelopes")


def screen_json(events: Sequence[Any], path: str, grant: Grant, request: JsonRequest) -> list[Screened]:
    """Screens events in JSON.

    Args:
        events: as JSON gives them.
        path: of the list that they stand in; empty for a single event.
        grant: what the key covers.
        request: what they share.
    """
    openers = [partial(_sealed, event, index, request) for index, event in enumerate(events)]
    return _screen(openers, grant, request.now_ms, path)


def _unsealed(value: bytes) -> tuple[EventEnvelope, bytes]:
    return unseal(value), value


def _sealed(event: Any, index: int, request: JsonRequest) -> tuple[EventEnvelope, bytes]:
    envelope = read_event(event, index, request)
    return envelope, seal(envelope)


def _screen(
    openers: Sequence[Callable[[], tuple[EventEnvelope, bytes]]], grant: Grant, now_ms: int, path: str
) -> list[Screened]:
    screened = [_open(opener, grant) for opener in openers]
    _judge([item for item in screened if item.record is not None], now_ms)
    for index, item in enumerate(screened):
        if item.rejection is not None:
            item.rejection = _placed(item.rejection, item.payload, f"{path}[{index}]" if path else "")
    return screened


def _open(opener: Callable[[], tuple[EventEnvelope, bytes]], grant: Grant) -> Screened:
    item = Screened()
    try:
        envelope, value = opener()
        item.event_id, item.payload = envelope.event_id, _PAYLOADS.get(envelope.payload_type, "")
        _check_belongs(envelope, grant)
        item.record = record_of(envelope, value)
    except WrongFieldError as error:
        item.reject(Rejection(error.reason, error.detail[:MAX_DETAIL], error.field))
    except InvalidMessage as error:
        item.reject(Rejection(error.reason, error.detail[:MAX_DETAIL]))
    return item


def _check_belongs(envelope: EventEnvelope, grant: Grant) -> None:
    if envelope.tenant_id != grant.tenant_id:
        raise InvalidMessage(Reason.FOREIGN_TENANT, f"tenant_id={envelope.tenant_id[:128]!r} is not the key's tenant")
    if not grant.covers(envelope.device_id):
        raise InvalidMessage(
            Reason.FOREIGN_DEVICE, f"device_id={envelope.device_id[:128]!r} is not a device of the key"
        )
    # The id is bound to the tenant by its making: nobody can take the place of somebody else's event.
    own = make_event_id(envelope.tenant_id, envelope.device_id, envelope.boot_id, envelope.sequence)
    if envelope.event_id != own:
        detail = f"event_id={envelope.event_id[:64]!r} is not made of tenant, device, boot_id and sequence: {own}"
        raise WrongFieldError("event_id", detail, Reason.BAD_IDENTIFIER)


def _judge(items: Sequence[Screened], now_ms: int) -> None:
    records = [item.record for item in items if item.record is not None]
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers[SENSOR_MS] for record in records],
        [now_ms] * len(records),
        summarise=False,
    )
    for item, reason, detail in zip(items, verdicts.reason, verdicts.detail, strict=True):
        if reason is not None:
            item.reject(Rejection(Reason(reason), (detail or "")[:MAX_DETAIL]))


def _placed(rejection: Rejection, payload: str, path: str) -> Rejection:
    """The rejection with the path of its field from the top of the request."""
    own = rejection.field
    if not own and rejection.reason in _PAYLOAD_FIELDS:
        own = ".".join(part for part in (payload, _PAYLOAD_FIELDS[rejection.reason]) if part)
    own = own or _FIELDS.get(rejection.reason, "")
    return Rejection(rejection.reason, rejection.detail, ".".join(part for part in (path, own) if part))
