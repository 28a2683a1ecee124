"""Sources and an agent for tests, on a real directory and with a sender in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.agent.agent import Agent, Parts
from edge.agent.settings import AgentSettings
from edge.instant import Instant, InstantClock
from edge.measurement import Samples
from edge.pace import SystemClock
from edge.senders.sender import Sender
from edge.sources.source import LiveSource, Outlet, Stopped, Taken
from edge.testing import MemorySender
from schemas.envelope import Record, unseal
from schemas.proto.envelope_pb2 import DEVICE_STATUS, DeviceStatus, EventEnvelope

NOW_MS = 1_760_000_000_000


def reading(device_id: str, number: int, acknowledge: Callable[[], None] | None = None, **changes: Any) -> Taken:
    """One temperature of a device that tells the time itself."""
    measurement = Samples("TEMP", ("value",), "degC", 0.0, (NOW_MS + number) * 1_000, np.array([[20.0 + number / 10]]))
    given = {"taken": Instant(NOW_MS + number, number, synchronised=True), "timed_by_device": True} | changes
    return Taken(device_id, measurement, acknowledge=acknowledge, **given)


class ListSource:
    """Gives what it was made with, and ends."""

    def __init__(self, name: str, taken: Sequence[Taken]) -> None:
        self.name = name
        self._taken = taken

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        outlet.state(True, "here")
        try:
            for one in self._taken:
                outlet.put(one)
        except Stopped:
            return


class FunctionSource:
    """Does what a function does."""

    def __init__(self, name: str, work: Callable[[Outlet, threading.Event], None]) -> None:
        self.name = name
        self._work = work

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        self._work(outlet, stop)


def settings_in(directory: Path, **changes: Any) -> AgentSettings:
    """Settings of an agent whose sources a test makes itself."""
    spool = {"directory": directory, "min_free_bytes": 0} | changes.pop("spool", {})
    given: dict[str, Any] = {
        "sources": [{"kind": "synthetic", "name": "s", "device_id": "d", "sensors": [{"sensor_type": "TEMP"}]}],
        "spool": spool,
        "stop_s": 5.0,
    }
    return AgentSettings(**(given | changes))


def agent_of(
    directory: Path, sources: Sequence[LiveSource], sender: Sender | None = None, *, boot_id: str = "b0", **changes: Any
) -> Agent:
    """An agent of these sources."""
    way = sender if sender is not None else MemorySender()
    clock = InstantClock(SystemClock(), lambda: True)
    return Agent(settings_in(directory, **changes), Parts(sources, lambda: way, boot_id, clock))


def events(records: Sequence[Record]) -> list[EventEnvelope]:
    """The measurements among records."""
    return [one for one in map(_opened, records) if one.payload_type != DEVICE_STATUS]


def statuses(records: Sequence[Record]) -> list[tuple[str, DeviceStatus]]:
    """The status events among records, each with its device."""
    opened = [one for one in map(_opened, records) if one.payload_type == DEVICE_STATUS]
    return [(one.device_id, DeviceStatus.FromString(one.payload)) for one in opened]


def _opened(record: Record) -> EventEnvelope:
    return unseal(record.value)
