"""Frames as `brain-edge record` keeps them: what a device sent, measurement by measurement, to be replayed.

    file  = magic, frame, frame, ...
    frame = length u32 little endian, a sealed envelope of that length

Each envelope closes with its own CRC. The measurements of one device and sensor are one recording, at their own dates.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError

from edge.measurement import Measurement, Register, RegisterReading, Samples, Scan
from edge.recordings.recording import RecordedFrames
from edge.recordings.text_files import read_bytes, whole_file
from schemas.envelope import MAX_FRAME_BYTES, STATUS_SENSOR, unseal
from schemas.errors import InvalidMessage, RecordingError
from schemas.proto.envelope_pb2 import (
    COUNTER_READING,
    MESH,
    SAMPLE_BLOCK,
    CounterReading,
    EventEnvelope,
    Mesh,
    SampleBlock,
)
from schemas.samples import decode_samples

MAGIC = b"BRFRAMES1\n"
_LENGTH = struct.Struct("<I")


def frame_bytes(envelope: bytes) -> bytes:
    """A sealed envelope as it stands in the file."""
    return _LENGTH.pack(len(envelope)) + envelope


def recognises(path: Path) -> bool:
    """Whether the file begins as one of these."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


expand_address = whole_file


def read_recordings(address: str) -> list[RecordedFrames]:
    """The recordings of a file, one for each device and sensor.

    Raises:
        RecordingError: naming the file and the byte where it is not what it should be.
    """
    path = Path(address)
    found: dict[tuple[str, str], list[Measurement]] = {}
    for place, envelope in _envelopes(path, read_bytes(path)):
        if envelope.sensor_type == STATUS_SENSOR:
            continue
        try:
            measurement = _measurement(envelope)
        except (InvalidMessage, DecodeError) as error:
            raise RecordingError(f"{path}: frame at byte {place}: {error}") from error
        found.setdefault((envelope.device_id, envelope.sensor_type), []).append(measurement)
    if not found:
        raise RecordingError(f"{path}: holds no measurement")
    return [
        RecordedFrames(device_id, sensor_type, tuple(sorted(taken, key=lambda one: one.start_us)))
        for (device_id, sensor_type), taken in found.items()
    ]


def _envelopes(path: Path, content: bytes) -> Iterator[tuple[int, EventEnvelope]]:
    place = len(MAGIC)
    while place < len(content):
        begin = place + _LENGTH.size
        length = _LENGTH.unpack_from(content, place)[0] if begin <= len(content) else MAX_FRAME_BYTES
        if length > MAX_FRAME_BYTES or begin + length > len(content):
            raise RecordingError(f"{path}: the frame at byte {place} is cut off")
        try:
            envelope = unseal(content[begin : begin + length])
        except InvalidMessage as error:
            raise RecordingError(f"{path}: frame at byte {place}: {error}") from error
        yield place, envelope
        place = begin + length


def _measurement(envelope: EventEnvelope) -> Measurement:
    if envelope.payload_type == COUNTER_READING:
        reading = CounterReading.FromString(envelope.payload)
        register = Register(reading.digits, reading.resolution)
        return RegisterReading(reading.reading_us, reading.value, reading.unit, register)
    if envelope.payload_type == MESH:
        return Scan(envelope.sensor_timestamp_ms * 1_000, Mesh.FromString(envelope.payload))
    if envelope.payload_type != SAMPLE_BLOCK:
        raise RecordingError(f"payload_type={envelope.payload_type}")
    block = SampleBlock.FromString(envelope.payload)
    return Samples(
        envelope.sensor_type,
        tuple(block.channels),
        block.unit,
        block.sample_rate_hz,
        block.start_us,
        decode_samples(block),
    )
