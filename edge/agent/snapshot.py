"""What `brain-edge status` shows.

The agent writes it beside its spool each second, so that it can be read when the agent is gone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from edge.agent.devices import Devices
from edge.agent.inlet import Inlet
from edge.spool.line import DrainStats
from edge.spool.stats import SpoolStats
from schemas.errors import BrainError

NAME = "status.json"


class NoSnapshotError(BrainError):
    """There is no status to show."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The moment of a snapshot.

    Attributes:
        held: measurements that wait for the clock to be set.
    """

    wall_ms: int
    monotonic_ms: int
    synchronised: bool
    held: int


def take_snapshot(
    clocks: Clocks, spool: SpoolStats, drain: DrainStats, inlets: Sequence[Inlet], devices: Devices
) -> dict[str, Any]:
    """All figures of an agent at one moment."""
    return {
        "pid": os.getpid(),
        "clocks": asdict(clocks),
        "spool": asdict(spool),
        "drain": asdict(drain),
        "sources": [
            {
                "name": inlet.name,
                "connected": inlet.connection.connected,
                "detail": inlet.connection.detail,
                "waiting": inlet.waiting,
            }
            for inlet in inlets
        ],
        "devices": [
            {
                "device_id": device_id,
                "source": device.source,
                "read": device.read,
                "spooled": device.spooled,
                "rejected": device.rejected,
                "silent": device.silent,
                "heard_ms_ago": min(
                    (clocks.monotonic_ms - sensor.last_ms for sensor in device.sensors.values()), default=None
                ),
            }
            for device_id, device in devices.known.items()
        ],
    }


def write_snapshot(directory: Path, snapshot: dict[str, Any]) -> None:
    """Replace the file at once: a reader sees the old one or the new one. It need not survive a power cut."""
    new = directory / f"{NAME}.new"
    new.write_bytes(orjson.dumps(snapshot))
    new.replace(directory / NAME)


def read_snapshot(directory: Path) -> dict[str, Any]:
    """The last one that the agent wrote.

    Raises:
        NoSnapshotError: if there is none.
    """
    try:
        snapshot: dict[str, Any] = orjson.loads((directory / NAME).read_bytes())
    except (OSError, ValueError) as error:
        raise NoSnapshotError(f"no agent has run with the spool {directory}: {error}") from error
    return snapshot


def is_running(snapshot: dict[str, Any]) -> bool:
    """Whether the process that wrote it is still there."""
    try:
        os.kill(snapshot["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
