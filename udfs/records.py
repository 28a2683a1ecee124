"""Opening one Kafka record: key, header and envelope must agree, the payload must be what it claims."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from google.protobuf.message import DecodeError

from schemas.envelope import STATUS_SENSOR, RecordKey, unseal
from schemas.errors import InvalidMessage, Reason
from schemas.meshes import FootMesh, mesh_block, open_inline
from schemas.proto.envelope_pb2 import (
    COUNTER_READING,
    DEVICE_STATUS,
    MESH,
    SAMPLE_BLOCK,
    CounterReading,
    DeviceStatus,
    EventEnvelope,
    Mesh,
    PayloadType,
    SampleBlock,
)
from schemas.samples import counter_block
from udfs.layouts import Layout, layout_of

YEAR_2200_MS = 7_258_118_400_000


BLOCK_PAYLOADS = (SAMPLE_BLOCK, COUNTER_READING, MESH)
"""What carries a measurement."""
BlockSource = CounterReading | FootMesh | Mesh | None


class SampleFrame(NamedTuple):
    """A frame, opened: the shape and content of its block, the 16 bytes of its event id, and the block's source.

    Attributes:
        source: what the block was made of, where the payload is none: a counter's reading or a scan, opened
            where it travels inline.
    """

    layout: Layout
    block: SampleBlock
    event: bytes
    source: BlockSource = None


def open_record(key: bytes | None, value: bytes | None, sensor_ms: bytes | None) -> EventEnvelope:
    """Opens a record and checks that key, header and envelope agree.

    Args:
        key: of the record.
        value: of the record.
        sensor_ms: its header of that name.

    Raises:
        InvalidMessage: with the reason code of the first thing that is wrong.
    """
    envelope = unseal(value or b"")
    named = _parse_key(key or b"")
    said = (envelope.tenant_id, envelope.device_id, envelope.session_id, envelope.sensor_type)
    if said != named:
        raise InvalidMessage(Reason.KEY_MISMATCH, f"key says {'/'.join(named)}, envelope says {'/'.join(said)}")
    time_ms = envelope.sensor_timestamp_ms
    if sensor_ms != b"%d" % time_ms:
        raise InvalidMessage(Reason.HEADER_MISMATCH, f"header sensor_ms={sensor_ms!r}, envelope says {time_ms}")
    if not 0 <= time_ms < YEAR_2200_MS:
        raise InvalidMessage(Reason.BAD_TIMESTAMP, f"sensor_timestamp_ms={time_ms}")
    if not 0 <= envelope.session_start_ms <= time_ms:
        raise InvalidMessage(Reason.BAD_TIMESTAMP, f"session_start_ms={envelope.session_start_ms}, frame at {time_ms}")
    if envelope.payload_type not in BLOCK_PAYLOADS:
        _check_status(envelope)
    return envelope


@lru_cache(maxsize=65_536)
def _parse_key(key: bytes) -> RecordKey:
    return RecordKey.from_bytes(key)


def _check_status(envelope: EventEnvelope) -> None:
    if envelope.payload_type != DEVICE_STATUS:
        raise InvalidMessage(Reason.UNKNOWN_PAYLOAD_TYPE, f"payload_type={envelope.payload_type}")
    if envelope.sensor_type != STATUS_SENSOR:
        raise InvalidMessage(
            Reason.UNKNOWN_PAYLOAD_TYPE, f"device status with sensor_type={envelope.sensor_type!r}, not {STATUS_SENSOR}"
        )
    try:
        DeviceStatus.FromString(envelope.payload)
    except DecodeError as error:
        raise InvalidMessage(Reason.MALFORMED_PAYLOAD, f"device status: {error}") from error


def open_block(envelope: EventEnvelope) -> tuple[Layout, SampleBlock]:
    """Parses the sample block of an envelope and checks it against the sensor catalogue.

    A counter's reading and a scan each become a block of one sample. The values themselves are not looked at here.

    Raises:
        InvalidMessage: with the reason code of the first thing that is wrong.
    """
    return _check_block(envelope, _parse_block(envelope)[0])


def _parse_block(envelope: EventEnvelope) -> tuple[SampleBlock, BlockSource]:
    try:
        if envelope.payload_type == COUNTER_READING:
            reading = CounterReading.FromString(envelope.payload)
            return counter_block(reading), reading
        if envelope.payload_type == MESH:
            scan = open_inline(Mesh.FromString(envelope.payload))
            return mesh_block(scan, envelope.sensor_timestamp_ms), scan
        return SampleBlock.FromString(envelope.payload), None
    except DecodeError as error:
        raise InvalidMessage(
            Reason.MALFORMED_PAYLOAD, f"{PayloadType.Name(envelope.payload_type).lower()}: {error}"
        ) from error


def _check_block(envelope: EventEnvelope, block: SampleBlock) -> tuple[Layout, SampleBlock]:
    layout = layout_of(envelope.sensor_type, block)
    if block.start_us // 1000 != envelope.sensor_timestamp_ms:
        raise InvalidMessage(
            Reason.BAD_TIMESTAMP, f"start_us={block.start_us}, sensor_timestamp_ms={envelope.sensor_timestamp_ms}"
        )
    return layout, block


def read_frame(value: bytes) -> SampleFrame | None:
    """Opens a sealed envelope that has been validated before; None for what is no valid frame of samples.

    `clickhouse_ingest`, which reads the same topic, writes that to the dead letters.
    """
    try:
        envelope = unseal(value)
        block, source = _parse_block(envelope)
        layout, _ = _check_block(envelope, block)
        return SampleFrame(layout, block, event_digest(envelope.event_id), source)
    except InvalidMessage:
        return None


def event_digest(event_id: str) -> bytes:
    """The 16 bytes of an event id.

    Raises:
        InvalidMessage: if it is not 32 hexadecimal digits.
    """
    try:
        digest = bytes.fromhex(event_id)
    except ValueError:
        digest = b""
    if len(digest) != 16 or len(event_id) != 32:
        raise InvalidMessage(Reason.BAD_IDENTIFIER, f"event_id={event_id[:100]!r} is not 32 hexadecimal digits")
    return digest
