"""Recordings as a live source: what `brain-edge replay` sends, beside other sources."""

from __future__ import annotations

import threading

from edge.identity import Boot
from edge.instant import InstantClock
from edge.pace import Pacer
from edge.plan import BadRecording, PlannedRecording, ReplayPlan, plan_replay
from edge.recordings.recording import first_sample_us
from edge.records import PlanFramer
from edge.settings import EdgeSettings
from edge.sources.settings import ReplaySettings
from edge.sources.source import Outlet, Rejected, Stopped, Taken

# The plan names events by a boot id; here the agent's spool names them.
_NO_BOOT = "replay"


class ReplaySource:
    """See `edge.sources.source.LiveSource`; it ends with its recordings."""

    def __init__(self, settings: ReplaySettings, clock: InstantClock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Send the recordings at their pace; one that cannot be read is rejected by its address."""
        settings = _edge_settings(self._settings)
        plan = plan_replay(self._settings.addresses, settings, boot=Boot(_NO_BOOT, self._clock.clock.now_ms()))
        outlet.state(True, f"{len(plan.items)} recordings, {len(plan.bad)} bad")
        try:
            for bad in plan.bad:
                self._reject(bad, outlet)
            self._send(plan, settings, outlet, stop)
        except Stopped:
            return
        if not stop.is_set():
            outlet.state(False, "replayed to the end")

    def _send(self, plan: ReplayPlan, settings: EdgeSettings, outlet: Outlet, stop: threading.Event) -> None:
        pacer = Pacer(self._clock.clock, settings.speed)
        for due in PlanFramer(plan.items, settings.framing()).measurements():
            pacer.wait_until(due.due_s, keep_waiting=lambda: not stop.is_set())
            if stop.is_set():
                return
            item: PlannedRecording = plan.items[due.item]
            taken = Taken(
                item.identity.device_id,
                due.measurement,
                self._clock.now(),
                timed_by_device=True,
                session_id=item.identity.session_id,
                session_start_ms=first_sample_us(item.recording, item.start_ms * 1_000) // 1_000,
            )
            outlet.put(taken)

    def _reject(self, bad: BadRecording, outlet: Outlet) -> None:
        device_id = self._settings.device_id or self._settings.name
        outlet.reject(Rejected(device_id, bad.address.encode(), bad.error, self._clock.now()))


def _edge_settings(settings: ReplaySettings) -> EdgeSettings:
    """The part of the agent's settings that places and cuts recordings."""
    names = ("device_id", "session_id", "speed", "start", "one_after_another", "scan_store", "block_s")
    return EdgeSettings(**{name: getattr(settings, name) for name in names})
