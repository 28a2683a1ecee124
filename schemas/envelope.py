"""The envelope: how one event becomes a Kafka record, and how a record becomes an event again.

A record is a key `tenant/device/session/sensor`, a value (the sealed `EventEnvelope`) and the header
`sensor_ms`. The three must agree; `open_frame` in `udfs/frames.py` checks that they do.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.message import DecodeError

from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from schemas.proto.envelope_pb2 import DEVICE_STATUS, DeviceStatus, EventEnvelope

SCHEMA_VERSION = 1
MAX_FRAME_BYTES = 1024 * 1024
STATUS_SENSOR = "STATUS"
"""The sensor part of the key of device status events, which carry no samples."""

HEARTBEAT_STATE = "heartbeat"
"""Of a status event that only moves a watermark."""
TICKER_TENANT = "brain"
TICKER_DEVICE = "ticker-"
TICKER_KEY = f"{TICKER_TENANT}/{TICKER_DEVICE}"
"""How the keys of the ticker's heartbeats begin."""

IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,128}")

# Field 17, wire type fixed32: every sealed envelope ends with this tag and four bytes of CRC.
CRC_TAG = b"\x8d\x01"
_TRAILER_BYTES = 6

CRC_RESIDUE = 0x2144DF1C
"""The CRC-32 of any bytes that are followed by their own CRC-32, little endian."""


class RecordKey(NamedTuple):
    """What a Kafka record is partitioned and grouped by."""

    tenant_id: str
    device_id: str
    session_id: str
    sensor_type: str

    def to_bytes(self) -> bytes:
        """The key as it stands in Kafka.

        Raises:
            InvalidMessage: if a part is not an identifier.
        """
        for name, part in zip(self._fields, self, strict=True):
            if IDENTIFIER.fullmatch(part) is None:
                raise InvalidMessage(Reason.BAD_IDENTIFIER, f"{name}={part!r} does not match {IDENTIFIER.pattern}")
        return "/".join(self).encode()

    @classmethod
    def from_bytes(cls, key: bytes) -> RecordKey:
        """Reads a record key.

        Raises:
            InvalidMessage: if it is not four identifiers joined by slashes.
        """
        parts = key.decode("ascii", errors="replace").split("/")
        if len(parts) != len(cls._fields) or any(IDENTIFIER.fullmatch(part) is None for part in parts):
            raise InvalidMessage(Reason.BAD_IDENTIFIER, f"key={key[:200]!r} is not tenant/device/session/sensor")
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record, ready to be sent."""

    key: bytes
    value: bytes
    headers: dict[str, bytes]


def make_event_id(tenant_id: str, device_id: str, boot_id: str, sequence: int) -> str:
    """The identity of an event: 32 hexadecimal digits, a pure function of who and which, never of a clock."""
    name = f"{tenant_id}/{device_id}/{boot_id}/{sequence}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def seal(envelope: EventEnvelope) -> bytes:
    """Serialises the envelope and closes it with its CRC."""
    envelope.ClearField("crc32")
    body = envelope.SerializeToString(deterministic=True) + CRC_TAG
    return body + zlib.crc32(body).to_bytes(4, "little")


def unseal(value: bytes) -> EventEnvelope:
    """Checks size, CRC and schema version, and parses.

    Raises:
        InvalidMessage: with the reason code of what is wrong.
    """
    size = len(value)
    if size == 0:
        raise InvalidMessage(Reason.EMPTY, "value has 0 bytes")
    if size > MAX_FRAME_BYTES:
        raise InvalidMessage(Reason.OVERSIZED, f"value has {size} bytes, limit {MAX_FRAME_BYTES}")
    if value[-_TRAILER_BYTES:-4] != CRC_TAG:
        raise InvalidMessage(Reason.MISSING_CHECKSUM, f"value of {size} bytes does not end with a CRC")
    if zlib.crc32(value) != CRC_RESIDUE:
        raise InvalidMessage(Reason.CHECKSUM_MISMATCH, f"value of {size} bytes is not what was sealed")
    try:
        envelope = EventEnvelope.FromString(value)
    except DecodeError as error:
        raise InvalidMessage(Reason.MALFORMED_ENVELOPE, str(error)) from error
    if envelope.schema_version != SCHEMA_VERSION:
        raise InvalidMessage(
            Reason.UNKNOWN_SCHEMA_VERSION, f"schema_version={envelope.schema_version}, known: {SCHEMA_VERSION}"
        )
    return envelope


def to_record(envelope: EventEnvelope) -> Record:
    """The Kafka record of an envelope, with key and header taken from it.

    Raises:
        InvalidMessage: if an identifier is malformed or the sealed value is oversized.
    """
    return record_of(envelope, seal(envelope))


def record_of(envelope: EventEnvelope, value: bytes) -> Record:
    """The Kafka record of an envelope that is sealed already as `value`.

    Raises:
        InvalidMessage: if an identifier is malformed or the sealed value is oversized.
    """
    key = RecordKey(envelope.tenant_id, envelope.device_id, envelope.session_id, envelope.sensor_type).to_bytes()
    if len(value) > MAX_FRAME_BYTES:
        raise InvalidMessage(Reason.OVERSIZED, f"value has {len(value)} bytes, limit {MAX_FRAME_BYTES}")
    return Record(key, value, {SENSOR_MS: str(envelope.sensor_timestamp_ms).encode()})


def heartbeat(key: RecordKey, boot_id: str, sequence: int, now_ms: int) -> Record:
    """A device status event whose only purpose is to move the watermark of its partition.

    Args:
        key: any key with sensor `STATUS`; the ticker picks one for each partition.
        boot_id: new at every start of the sender.
        sequence: counts from 0 within `boot_id`.
        now_ms: wall clock of the sender.
    """
    status = DeviceStatus(state=HEARTBEAT_STATE, clock_synchronised=True)
    return status_record(key, status, boot_id=boot_id, sequence=sequence, now_ms=now_ms)


def status_record(
    key: RecordKey, status: DeviceStatus, *, boot_id: str, sequence: int, now_ms: int, site_id: str = ""
) -> Record:
    """The record of a device status event.

    Args:
        key: of the device, with sensor `STATUS`.
        status: what is said.
        boot_id: new at every start of the sender.
        sequence: counts from 0 within `boot_id`.
        now_ms: wall clock of the sender.
        site_id: where the device is.
    """
    return to_record(
        EventEnvelope(
            event_id=make_event_id(key.tenant_id, key.device_id, boot_id, sequence),
            schema_version=SCHEMA_VERSION,
            event_type="device_status",
            tenant_id=key.tenant_id,
            site_id=site_id,
            device_id=key.device_id,
            session_id=key.session_id,
            sensor_type=key.sensor_type,
            sensor_timestamp_ms=now_ms,
            ingest_timestamp_ms=now_ms,
            boot_id=boot_id,
            sequence=sequence,
            payload_type=DEVICE_STATUS,
            payload=status.SerializeToString(deterministic=True),
        )
    )
