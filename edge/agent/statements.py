"""Status events: what the agent says of a device or of itself, as records like any other."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cache

from edge.agent.devices import Device
from edge.identity import Identity
from edge.instant import Instant
from edge.spool.stats import SpoolStats
from schemas import envelope
from schemas.envelope import STATUS_SENSOR, Record, RecordKey
from schemas.proto.envelope_pb2 import DeviceStatus


@dataclass(frozen=True, slots=True)
class Totals:
    """What the agent knows of all devices together.

    Attributes:
        spool: how it stands.
        sent: acknowledged by the receiver.
    """

    spool: SpoolStats
    sent: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said.

    Attributes:
        state: `connected`, `disconnected`, `silent`, `online`, `started` or `stopping`.
        source: through which the device speaks.
        detail: why, for people.
        totals: in what the agent says of itself.
    """

    state: str
    source: str
    detail: str = ""
    totals: Totals | None = None


def status_record(identity: Identity, sequence: int, said: Statement, now: Instant, device: Device) -> Record:
    """The record of a status event."""
    status = DeviceStatus(
        state=said.state,
        software_version=_version(),
        read_count=device.read,
        spooled_count=device.spooled,
        rejected_count=device.rejected,
        clock_synchronised=now.synchronised,
        monotonic_ms=now.monotonic_ms,
        source=said.source,
        detail=said.detail[:500],
        silent_sensors=device.silent,
    )
    if said.totals is not None:
        spool = said.totals.spool
        status.sent_count = said.totals.sent
        status.rejected_count += spool.rejected
        status.last_acknowledged_sequence = spool.settled_end
        status.spool_depth_count, status.spool_depth_bytes = spool.depth_records, spool.depth_bytes
        status.lost_count, status.dropped_count = spool.lost, spool.dropped
    key = RecordKey(identity.tenant_id, identity.device_id, identity.session_id, STATUS_SENSOR)
    return envelope.status_record(
        key,
        status,
        boot_id=identity.boot_id,
        sequence=sequence,
        now_ms=max(0, now.wall_ms),
        site_id=identity.site_id,
    )


@cache
def _version() -> str:
    try:
        return importlib.metadata.version("iot-brain")
    except importlib.metadata.PackageNotFoundError:
        return ""
