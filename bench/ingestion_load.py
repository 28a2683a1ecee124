"""The requests that the bench of the HTTP way in sends: single readings of some meters, as protobuf or JSON."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson

from schemas.envelope import SCHEMA_VERSION, make_event_id, to_record
from schemas.proto.envelope_pb2 import SAMPLE_BLOCK, EventEnvelope
from schemas.proto.ingest_pb2 import IngestBatch
from schemas.samples import encode_float32

TENANT = "bench"
DEVICES = 20
START_US = 1_760_000_000_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    Attributes:
        requests_per_s: evenly spaced, whatever the service does.
        readings: of each request, each an event of its own.
        duration_s: after the warm-up.
        json: as JSON, else as protobuf.
    """

    requests_per_s: float = 100.0
    readings: int = 50
    duration_s: float = 30.0
    json: bool = False


def bodies(load: Load, count: int) -> list[bytes]:
    """The bodies of `count` requests."""
    made = []
    for request in range(count):
        envelopes = [_envelope(request * load.readings + index) for index in range(load.readings)]
        if load.json:
            made.append(orjson.dumps({"envelopes": [_json(envelope) for envelope in envelopes]}))
        else:
            values = [to_record(envelope).value for envelope in envelopes]
            made.append(IngestBatch(envelopes=values).SerializeToString())
    return made


def _envelope(number: int) -> EventEnvelope:
    device, sequence = f"meter-{number % DEVICES}", number // DEVICES
    start_us = START_US + sequence * 1_000_000
    block = encode_float32(np.array([[20 + number % 100 / 10]]))
    block.start_us, block.unit = start_us, "degC"
    block.channels.append("value")
    return EventEnvelope(
        event_id=make_event_id(TENANT, device, "bench", sequence),
        schema_version=SCHEMA_VERSION,
        event_type="samples",
        tenant_id=TENANT,
        device_id=device,
        session_id="s",
        sensor_type="TEMP",
        sensor_timestamp_ms=start_us // 1_000,
        ingest_timestamp_ms=start_us // 1_000,
        boot_id="bench",
        sequence=sequence,
        payload_type=SAMPLE_BLOCK,
        payload=block.SerializeToString(deterministic=True),
    )


def _json(envelope: EventEnvelope) -> dict[str, object]:
    block = {
        "unit": "degC",
        "channels": ["value"],
        "start_us": envelope.sensor_timestamp_ms * 1_000,
        "values": [[20.5]],
    }
    return {
        "device_id": envelope.device_id,
        "session_id": envelope.session_id,
        "sensor_type": envelope.sensor_type,
        "boot_id": envelope.boot_id,
        "sequence": envelope.sequence,
        "sample_block": block,
    }
