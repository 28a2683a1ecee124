"""The demo: the stack up, the jobs submitted, recordings replayed, and what came out of them as tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clickhouse_driver import Client
from rich.console import Console

from edge.console import progress_bar
from edge.identity import Boot, new_boot_id
from edge.interruption import Interruption
from edge.pace import AS_FAST_AS_POSSIBLE, Clock
from edge.plan import plan_recordings
from edge.replay import replay
from edge.schedule import Addressed
from edge.settings import EdgeSettings
from schemas.sensors import GAIT_SENSOR, Domain
from stack import initialise
from stack.demo import report, results
from stack.demo.recordings import DATA_VARIABLE, data_folder, domain_recordings, synthetic_recordings
from stack.demo.waiting import Settled
from stack.endpoints import StackEndpoints
from stack.errors import StackError

_POLL_S = 0.5
_QUIET_S = 8.0
"""Windows are closed when nothing has arrived for a while; all of a replay's close within a few seconds."""
_ORDER = (Domain.HEALTH, Domain.POWER, Domain.ENVIRONMENT)
_QUICK_WINDOWS = {"BRAIN_JOBS_WINDOW_IDLE_MS": "5000"}
"""A replay sends without a pause what a sensor sends in days: no need to wait for its next reading."""

Recordings = dict[Domain, list[Addressed]]


class DemoError(StackError):
    """The demo did not come to its end; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the demo.

    Attributes:
        endpoints: of the stack.
        domains: what is shown.
        count: how many people walk.
        speed: of the walks, a multiple of real time; all else is replayed as fast as possible.
        timeout_s: longest wait for the last result.
        clock: tells the time.
        console: where it is watched.
    """

    endpoints: StackEndpoints
    domains: tuple[Domain, ...]
    count: int
    speed: float
    timeout_s: float
    clock: Clock
    console: Console

    def run(self) -> None:
        """Runs it to the end.

        Raises:
            DemoError: if there is nothing to replay, or a recording got no result in time.
        """
        recordings = self.choose_recordings(os.environ)
        self._submit_jobs()
        session_id = f"demo-{self.clock.now_ms()}"
        for domain, chosen in recordings.items():
            self._replay(domain, chosen, session_id)
        client = initialise.clickhouse_client(self.endpoints)
        for domain, chosen in recordings.items():
            self.wait_for_results(client, session_id, {domain: chosen})
            self._report(client, session_id, domain)
        report.show_tables(self.console, results.table_counts(client))
        report.show_next_steps(self.console, self.endpoints)

    def choose_recordings(self, environment: Mapping[str, str]) -> Recordings:
        """What is replayed, in this order.

        Raises:
            DemoError: if there is nothing to replay.
        """
        folder = data_folder(environment)
        chosen: Recordings = {}
        for domain in _ORDER:
            if domain in self.domains and (found := domain_recordings(domain, folder, self.count) if folder else []):
                chosen[domain] = found
        missing = [domain for domain in self.domains if domain not in chosen]
        if missing:
            names = " and ".join(domain.value for domain in missing)
            self.console.print(
                f"[yellow]no recordings of {names} in {folder or '../shared/data'}; {DATA_VARIABLE} names the folder"
                "[/yellow]"
            )
        if Domain.HEALTH in missing:
            self.console.print(f"{self.count} synthetic walkers take their place; power and environment need data")
            chosen[Domain.HEALTH] = synthetic_recordings(self.count)
        if not chosen:
            raise DemoError(f"nothing to replay: set {DATA_VARIABLE} to the folder of recordings")
        return chosen

    def _submit_jobs(self) -> None:
        command = [_program("brain-jobs"), "submit", "all"]
        environment = _QUICK_WINDOWS | dict(os.environ) | self.endpoints.to_env()
        with self.console.status("submitting the jobs ..."):
            done = subprocess.run(  # noqa: S603  # a program of ours
                command, env=environment, capture_output=True, text=True, check=False
            )
        self.console.print(done.stdout.rstrip(), style="dim", highlight=False)
        if done.returncode != 0:
            raise DemoError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")

    def _replay(self, domain: Domain, recordings: list[Addressed], session_id: str) -> None:
        """Every recording's name is its device, all have the demo's session."""
        speed = self.speed if domain is Domain.HEALTH else AS_FAST_AS_POSSIBLE
        pace = "as fast as possible" if speed == AS_FAST_AS_POSSIBLE else f"at {speed:g} x real time"
        devices = len({recording.name for _, recording in recordings})
        self.console.print(f"{domain.value}: replaying {devices} devices {pace}")
        settings = EdgeSettings.load(
            {"bootstrap_servers": self.endpoints.kafka_bootstrap, "session_id": session_id, "speed": speed}
        )
        plan = plan_recordings(recordings, settings, boot=Boot(new_boot_id(os.urandom), self.clock.now_ms()))
        interruption = Interruption()
        interruption.listen()
        with progress_bar(self.console) as show:
            summary = replay(plan, settings, clock=self.clock, on_progress=show, interruption=interruption)
        if not summary.ok:
            raise DemoError(f"the replay failed: {summary.failure or [str(bad) for bad in summary.bad]}")

    def wait_for_results(self, client: Client, session_id: str, recordings: Recordings) -> None:
        """Waits until every walk has a score and the windows of the other domains have come and no more come.

        Raises:
            DemoError: if that takes longer than the time-out.
        """
        begin_s = self.clock.monotonic_s()
        settled = {domain: Settled(_QUIET_S) for domain in recordings}
        waiting = dict.fromkeys(recordings, "nothing yet")
        with self.console.status("waiting for sessions and windows to end ...") as status:
            while waiting:
                waited_s = self.clock.monotonic_s() - begin_s
                if waited_s > self.timeout_s:
                    state = "; ".join(f"{domain.value}: {text}" for domain, text in waiting.items())
                    raise DemoError(
                        f"after {waited_s:.0f} s results are missing ({state}); look at brain-jobs status and "
                        "brain-jobs logs"
                    )
                for domain in tuple(waiting):
                    if domain is Domain.HEALTH:
                        done, waiting[domain] = _walks(client, session_id, recordings[domain])
                    else:
                        done, waiting[domain] = self._windows(client, session_id, domain, settled[domain])
                    if done:
                        del waiting[domain]
                status.update(f"{waited_s:4.0f} s  " + "; ".join(waiting.values()))
                self.clock.sleep(_POLL_S)

    def _windows(self, client: Client, session_id: str, domain: Domain, settled: Settled) -> tuple[bool, str]:
        """Whether a domain's windows have come and no more of them come, and the counts as text."""
        windows, answers = results.window_counts(client, session_id, domain)
        done = settled.update((windows, answers), self.clock.monotonic_s(), there=windows > 0)
        return done, f"{windows} {domain.value} windows, {answers} results"

    def _report(self, client: Client, session_id: str, domain: Domain) -> None:
        answers = [] if domain is Domain.HEALTH else results.window_answers(client, session_id, domain)
        if domain is Domain.HEALTH:
            report.show_health(self.console, session_id, results.scored_sessions(client, session_id))
            report.show_body(self.console, results.body_measures(client, session_id))
        elif domain is Domain.ENVIRONMENT:
            report.show_environment(self.console, results.environment_devices(client, session_id), answers)
        else:
            report.show_power(self.console, results.power_devices(client, session_id), answers)


def _walks(client: Client, session_id: str, recordings: list[Addressed]) -> tuple[bool, str]:
    """Whether every walk has a result, and the rows of the line as text."""
    expected = sum(recording.sensor_type == GAIT_SENSOR for _, recording in recordings)
    counts = results.health_counts(client, session_id)
    return counts["inference_results"] >= expected, "  ".join(f"{name} {count}" for name, count in counts.items())


def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise DemoError(f"no program {name}: install iot-brain[jobs]")
    return found
