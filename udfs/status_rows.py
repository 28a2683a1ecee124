"""device-status: what agents say of their devices and of themselves."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from schemas.envelope import HEARTBEAT_STATE, unseal
from schemas.errors import InvalidMessage
from schemas.proto.envelope_pb2 import DEVICE_STATUS, DeviceStatus
from schemas.rows import RowValues

_SAME_NAMES = tuple(field.name for field in DeviceStatus.DESCRIPTOR.fields if field.name != "silent_sensors")


def describe_status(values: Sequence[bytes], append_ms: Sequence[int]) -> list[RowValues | None]:
    """The `device-status` row of each sealed envelope; None for what is no status, or only a heartbeat."""
    return [_describe(value, appended) for value, appended in zip(values, append_ms, strict=True)]


def _describe(value: bytes, append_ms: int) -> RowValues | None:
    try:
        envelope = unseal(value)
        if envelope.payload_type != DEVICE_STATUS:
            return None
        status = DeviceStatus.FromString(envelope.payload)
    except (InvalidMessage, DecodeError):
        # Validated before; what is no frame is a dead letter of clickhouse_ingest, which reads the same topic.
        return None
    if status.state == HEARTBEAT_STATE:
        return None
    return {
        "tenant_id": envelope.tenant_id,
        "device_id": envelope.device_id,
        "boot_id": envelope.boot_id,
        "sequence": envelope.sequence,
        "sensor_timestamp_ms": envelope.sensor_timestamp_ms,
        "revision": 1,
        "last_append_ms": append_ms,
        "silent_sensors": list(status.silent_sensors),
    } | {name: getattr(status, name) for name in _SAME_NAMES}
