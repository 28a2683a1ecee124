"""The framer: wraps a measurement in the envelope in which it travels."""

from __future__ import annotations

from dataclasses import dataclass

from edge.framing import Framing
from edge.identity import Identity
from edge.measurement import Measurement
from schemas.envelope import SCHEMA_VERSION, Record, make_event_id, to_record
from schemas.proto.envelope_pb2 import COUNTER_READING, MESH, SAMPLE_BLOCK, EventEnvelope, PayloadType

_EVENT_TYPES: dict[PayloadType, str] = {SAMPLE_BLOCK: "samples", COUNTER_READING: "counter", MESH: "scan"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the agent adds to a measurement.

    Attributes:
        sequence: of the event; counts from 0 over all events of the device within its boot id.
        taken_ms: when the agent took the measurement, ms since the epoch; by default its end in sensor time, the first
            moment at which a live agent has it, so that the bytes depend on nothing but the arguments.
        session_start_ms: sensor time at which the session began; 0 if nobody knows.
        resent: whether this event may have been sent before.
    """

    sequence: int
    taken_ms: int | None = None
    session_start_ms: int = 0
    resent: bool = False


def frame(measurement: Measurement, identity: Identity, stamp: Stamp, framing: Framing) -> Record:
    """The Kafka record of a measurement.

    Raises:
        InvalidMessage: if it does not fit into a frame, or a value not into the framing's encoding.
    """
    return to_record(envelope_of(measurement, identity, stamp, framing))


def envelope_of(measurement: Measurement, identity: Identity, stamp: Stamp, framing: Framing) -> EventEnvelope:
    """The envelope of a measurement; see `frame`."""
    payload_type, payload = measurement.payload(framing)
    return EventEnvelope(
        event_id=make_event_id(identity.tenant_id, identity.device_id, identity.boot_id, stamp.sequence),
        schema_version=SCHEMA_VERSION,
        event_type=_EVENT_TYPES[payload_type],
        tenant_id=identity.tenant_id,
        site_id=identity.site_id,
        device_id=identity.device_id,
        session_id=identity.session_id,
        sensor_type=measurement.sensor_type,
        sensor_timestamp_ms=measurement.start_us // 1_000,
        session_start_ms=stamp.session_start_ms,
        ingest_timestamp_ms=measurement.end_us // 1_000 if stamp.taken_ms is None else stamp.taken_ms,
        boot_id=identity.boot_id,
        sequence=stamp.sequence,
        resent=stamp.resent,
        payload_type=payload_type,
        payload=payload,
    )
