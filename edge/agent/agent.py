"""The agent: its sources, the intake, the spool and the sending loop, started together and stopped in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.agent.devices import Devices
from edge.agent.inlet import Arrival, Inlet
from edge.agent.intake import Intake
from edge.agent.settings import AgentSettings
from edge.agent.snapshot import Clocks, take_snapshot, write_snapshot
from edge.agent.statements import Statement, Totals
from edge.agent.unreadable import UnreadableFile
from edge.instant import InstantClock
from edge.interruption import Interruption
from edge.senders.sender import Sender
from edge.sources.source import LiveSource
from edge.spool.drain import Drain
from edge.spool.errors import SpoolFailed, SpoolFull
from edge.spool.files import SystemFiles
from edge.spool.spool import Spool

LOG = logging.getLogger(__name__)

_STEP_S = 0.1
_LOOK_EVERY_S = 1.0
_STUCK_S = 1.0
"""At the end: a receiver that has acknowledged nothing for so long is not waited for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an agent is made of.

    Attributes:
        sources: not started yet.
        make_sender: makes the way out, and makes it anew when it has failed.
        boot_id: of this start.
        clock: of the machine.
    """

    sources: Sequence[LiveSource]
    make_sender: Callable[[], Sender]
    boot_id: str
    clock: InstantClock


class Agent:
    """See the module.

    Args:
        settings: of the agent.
        parts: what it is made of.

    Raises:
        SpoolInUse: if another agent uses the spool.
        SpoolFull, SpoolFailed: if the disk refuses.
    """

    def __init__(self, settings: AgentSettings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._stop_sources, self._stop_drain = threading.Event(), threading.Event()
        self._arrival = Arrival()
        self.inlets = [
            Inlet(source.name, settings.queue_measurements, self._arrival, self._stop_sources)
            for source in parts.sources
        ]
        self.devices = Devices(settings.status)
        self.spool = Spool.open(settings.spool, clock=parts.clock.clock)
        self.drain = Drain(self.spool, parts.make_sender, settings.drain, clock=parts.clock.clock)
        directory = Path(settings.spool.directory)
        self.intake = Intake(
            self.spool,
            self.inlets,
            self.devices,
            boot_id=parts.boot_id,
            settings=settings,
            clock=parts.clock,
            unreadable=UnreadableFile(directory, settings.max_unreadable_bytes, SystemFiles()),
            arrival=self._arrival,
        )
        self._directory = directory
        self._looked_s = self._stated_s = float("-inf")
        self._drain_failure: BaseException | None = None

    def run(self, interruption: Interruption) -> None:
        """Run until interrupted, or until every source has ended and everything is sent.

        Raises:
            BrainError: if the sending loop or the disk has failed for good; what is on disk stays there.
        """
        threads = list(map(self._start_source, self._parts.sources, self.inlets))
        drain = threading.Thread(target=self._send, name="drain", daemon=True)
        drain.start()
        self.intake.may_wait = lambda: not interruption.insisted
        self._state_self("started")
        try:
            while not self._is_over(interruption, threads):
                self.intake.step(_STEP_S)
                self._look()
        finally:
            self._stop(threads, drain)
        if self._drain_failure is not None:
            raise self._drain_failure

    def _is_over(self, interruption: Interruption, threads: Sequence[threading.Thread]) -> bool:
        if interruption.asked or self._drain_failure is not None:
            return True
        ended = not any(thread.is_alive() for thread in threads) and not any(inlet.waiting for inlet in self.inlets)
        return ended and self.spool.stats().depth_records == 0 and not self.intake.held

    def _start_source(self, source: LiveSource, inlet: Inlet) -> threading.Thread:
        def run() -> None:
            try:
                source.run(inlet, self._stop_sources)
            except Exception as error:
                # A fault of ours in one source must not take the others with it.
                LOG.exception("source %s has failed", source.name)
                inlet.state(False, f"failed: {error}")

        thread = threading.Thread(target=run, name=f"source-{source.name}", daemon=True)
        thread.start()
        return thread

    def _send(self) -> None:
        try:
            self.drain.run(lambda: not self._stop_drain.is_set())
        except BaseException as error:
            self._drain_failure = error
            self._arrival.tell()

    def _look(self) -> None:
        """Once a second: clocks, silence, connections, the snapshot; status events when they are due."""
        now_s = self._parts.clock.clock.monotonic_s()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        self.intake.tick()
        self._state_connections()
        if now_s - self._stated_s >= self._settings.status.interval_s:
            self._stated_s = now_s
            for device_id, device in list(self.devices.known.items()):
                if device_id != self._settings.agent_id:
                    self.intake.state(device_id, Statement("silent" if device.silent else "online", device.source))
            self._state_self("online")
        self._write_snapshot()

    def _state_connections(self) -> None:
        """Tell of connects and disconnects, of each device that speaks through the source, or of the agent's own."""
        for inlet in self.inlets:
            for change in inlet.changes():
                state = "connected" if change.connected else "disconnected"
                LOG.log(logging.INFO if change.connected else logging.WARNING, "%s: %s", inlet.name, change.detail)
                names = [name for name, device in self.devices.known.items() if device.source == inlet.name]
                for name in names or [self._settings.agent_id]:
                    self.intake.state(name, Statement(state, inlet.name, change.detail))

    def _state_self(self, state: str) -> None:
        totals = Totals(self.spool.stats(), self.drain.stats().acknowledged)
        self.intake.state(self._settings.agent_id, Statement(state, "agent", totals=totals))

    def _send_rest(self) -> None:
        """Let the loop send what is in the spool while the receiver takes it; the rest stays for the next start."""
        clock = self._parts.clock.clock
        begin_s = progress_s = clock.monotonic_s()
        acknowledged = self.drain.stats().acknowledged
        while self.spool.stats().depth_records and self._drain_failure is None:
            now_s = clock.monotonic_s()
            if now_s - begin_s > self._settings.stop_s or now_s - progress_s > _STUCK_S:
                return
            clock.sleep(_STEP_S / 4)
            if self.drain.stats().acknowledged > acknowledged:
                acknowledged, progress_s = self.drain.stats().acknowledged, now_s

    def _write_snapshot(self) -> None:
        now = self._parts.clock.now()
        clocks = Clocks(now.wall_ms, now.monotonic_ms, now.synchronised, self.intake.held)
        stats = (self.spool.stats(), self.drain.stats())
        try:
            write_snapshot(self._directory, take_snapshot(clocks, *stats, self.inlets, self.devices))
        except OSError as error:
            LOG.warning("the status file cannot be written: %s", error)

    def _stop(self, threads: Sequence[threading.Thread], drain: threading.Thread) -> None:
        """Sources first, then what they gave goes to disk, then the loop gets its last reports."""
        self._stop_sources.set()
        for thread in threads:
            thread.join(self._settings.stop_s)
        self._state_self("stopping")
        self.intake.close()
        self._send_rest()
        self._stop_drain.set()
        drain.join(self._settings.stop_s)
        try:
            if not drain.is_alive() and self._drain_failure is None:
                left = self.drain.close(self._settings.stop_s)
                if left:
                    LOG.warning("%d records are not acknowledged: they are sent after the next start", left)
        except (SpoolFull, SpoolFailed) as error:
            LOG.error("the cursor is not stored, some records will be sent again: %s", error)
        finally:
            self._write_snapshot()
            self.spool.close()
