"""The JSON form of an event, and the envelope that it becomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.envelope import IDENTIFIER, SCHEMA_VERSION, STATUS_SENSOR, make_event_id
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import EventEnvelope
from services.ingestion.json_payloads import (
    Int64,
    JsonCounterReading,
    JsonDeviceStatus,
    JsonMesh,
    JsonPayload,
    JsonSampleBlock,
    Text,
    UInt64,
)

PAYLOADS = ("sample_block", "counter_reading", "mesh", "device_status")
MAX_FIELDS = 64
_US_PER_MS = 1_000

OptionalIdentifier = Annotated[str, Field(pattern=rf"^({IDENTIFIER.pattern})?$")]


class JsonEvent(BaseModel):
    """One event, with exactly one of the four payloads.

    Attributes:
        tenant_id: may be left out: it is the key's.
        sensor_type: of a device status it may be left out.
        boot_id, sequence: the event's number; see `id`.
        id: of a device that counts nothing: any text that names the event, the same when it sends it again.
        event_id: may be left out; if given it must be the hash of the four fields that it is made of.
        sensor_timestamp_ms: may be left out; if given it must be the payload's time.
        resent: false only if this event was surely never sent before; then it is stored without looking for it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    tenant_id: OptionalIdentifier = ""
    site_id: OptionalIdentifier = ""
    device_id: Text
    session_id: Text
    sensor_type: Text = ""
    event_type: Text = ""
    schema_version: int = Field(SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    boot_id: Annotated[str, Field(pattern=rf"^{IDENTIFIER.pattern}$")] | None = None
    sequence: UInt64 | None = None
    id: str | None = Field(None, min_length=1, max_length=256)
    event_id: Text = ""
    sensor_timestamp_ms: Int64 | None = None
    ingest_timestamp_ms: Int64 | None = None
    session_start_ms: Int64 = 0
    resent: bool = True
    sample_block: JsonSampleBlock | None = None
    counter_reading: JsonCounterReading | None = None
    mesh: JsonMesh | None = None
    device_status: JsonDeviceStatus | None = None

    @property
    def payloads(self) -> list[JsonPayload]:
        """Those that are given: one, if the event is right."""
        given = (getattr(self, name) for name in PAYLOADS)
        return [payload for payload in given if payload is not None]


class WrongFieldError(InvalidMessage):
    """An event whose form is wrong; `field` is the path within the event."""

    def __init__(self, field: str, detail: str, reason: Reason = Reason.MALFORMED_ENVELOPE) -> None:
        super().__init__(reason, detail)
        self.field = field


class EventNumber(NamedTuple):
    """What names an event within its device."""

    boot_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class JsonRequest:
    """What the events of one request have in common.

    Attributes:
        tenant_id: of the key.
        idempotency_key: the header of that name; empty without.
        now_ms: wall clock of the service.
    """

    tenant_id: str
    idempotency_key: str
    now_ms: int


def read_event(event: Any, index: int, request: JsonRequest) -> EventEnvelope:
    """The envelope of one event of a request.

    Args:
        event: as JSON gives it.
        index: its place in the request.
        request: what it shares with the others.

    Raises:
        WrongFieldError: naming the field.
    """
    parsed = _parse(event)
    payload = _only_payload(parsed)
    begin_us = payload.begin_us(request.now_ms * _US_PER_MS)
    sensor_ms = begin_us // _US_PER_MS
    if parsed.sensor_timestamp_ms not in (None, sensor_ms):
        detail = f"{parsed.sensor_timestamp_ms}, but the payload's time is {sensor_ms} ms"
        raise WrongFieldError("sensor_timestamp_ms", detail, Reason.BAD_TIMESTAMP)
    tenant_id = parsed.tenant_id or request.tenant_id
    number = _number(parsed, index, request.idempotency_key)
    is_status = payload.payload_type == JsonDeviceStatus.payload_type
    return EventEnvelope(
        event_id=parsed.event_id or make_event_id(tenant_id, parsed.device_id, number.boot_id, number.sequence),
        schema_version=parsed.schema_version,
        event_type=parsed.event_type or payload.event_type,
        tenant_id=tenant_id,
        site_id=parsed.site_id,
        device_id=parsed.device_id,
        session_id=parsed.session_id,
        sensor_type=parsed.sensor_type or (STATUS_SENSOR if is_status else ""),
        sensor_timestamp_ms=_int64(sensor_ms),
        ingest_timestamp_ms=request.now_ms if parsed.ingest_timestamp_ms is None else parsed.ingest_timestamp_ms,
        session_start_ms=parsed.session_start_ms,
        boot_id=number.boot_id,
        sequence=number.sequence,
        resent=parsed.resent,
        payload_type=payload.payload_type,
        payload=payload.message(begin_us).SerializeToString(deterministic=True),
    )


def _parse(event: Any) -> JsonEvent:
    if not isinstance(event, dict):
        raise WrongFieldError("", f"a JSON {type(event).__name__}, not an object")
    # Each unknown field would be an error of its own, and a body has room for a hundred thousand of them.
    for name, fields in (("", event), *((name, event.get(name)) for name in PAYLOADS)):
        if isinstance(fields, dict) and len(fields) > MAX_FIELDS:
            raise WrongFieldError(name, f"{len(fields)} fields")
    try:
        return JsonEvent.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        given = "" if isinstance(first["input"], dict | list) else f", got {str(first['input'])[:100]!r}"
        detail = first["msg"].removeprefix("Value error, ") + given
        raise WrongFieldError(_path(first["loc"]), detail) from None


def _only_payload(event: JsonEvent) -> JsonPayload:
    given = event.payloads
    if len(given) != 1:
        raise WrongFieldError("", f"{len(given)} payloads, want one of {', '.join(PAYLOADS)}")
    return given[0]


def _number(event: JsonEvent, index: int, idempotency_key: str) -> EventNumber:
    if event.boot_id is not None and event.sequence is not None:
        return EventNumber(event.boot_id, event.sequence)
    if event.boot_id is not None or event.sequence is not None:
        missing = "sequence" if event.sequence is None else "boot_id"
        raise WrongFieldError(missing, "boot_id and sequence belong together", Reason.BAD_IDENTIFIER)
    if event.id is not None:
        return EventNumber(f"id-{_digest(event.id)}", 0)
    if idempotency_key:
        return EventNumber(f"key-{_digest(idempotency_key)}", index)
    detail = "neither boot_id and sequence, nor id, nor a header Idempotency-Key: sent again, it would be a new event"
    raise WrongFieldError("id", detail, Reason.BAD_IDENTIFIER)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _int64(number: int) -> int:
    return max(-(2**63), min(number, 2**63 - 1))


def _path(location: tuple[int | str, ...]) -> str:
    """`sample_block.values[0][3]`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path[:300]
