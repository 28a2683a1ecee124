"""The demo: the stack up, the jobs submitted, recordings replayed, and what came out of them as a table."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from edge.console import progress_bar
from edge.identity import Boot, new_boot_id
from edge.interruption import Interruption
from edge.pace import Clock
from edge.plan import ReplayPlan, plan_recordings
from edge.replay import replay
from edge.settings import EdgeSettings
from edge.sources.source import Recording
from stack import initialise
from stack.demo import report, results
from stack.demo.recordings import data_folder, gait_recordings, synthetic_recordings
from stack.endpoints import StackEndpoints
from stack.errors import StackError

_POLL_S = 0.5


class DemoError(StackError):
    """The demo did not come to its end; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the demo.

    Attributes:
        endpoints: of the stack.
        count: how many recordings.
        speed: of the replay, a multiple of real time.
        timeout_s: longest wait for the last score.
        clock: tells the time.
        console: where it is watched.
    """

    endpoints: StackEndpoints
    count: int
    speed: float
    timeout_s: float
    clock: Clock
    console: Console

    def run(self) -> None:
        """Runs it to the end.

        Raises:
            DemoError: if a recording got no result in time.
        """
        self._submit_jobs()
        session_id = f"demo-{self.clock.now_ms()}"
        plan = self._plan(session_id)
        self._replay(plan)
        self._wait_for_scores(session_id, len(plan.items))
        client = initialise.clickhouse_client(self.endpoints)
        report.show(self.console, session_id, results.scored_sessions(client, session_id), results.table_counts(client))
        report.show_next_steps(self.console, self.endpoints)

    def _submit_jobs(self) -> None:
        command = [_program("brain-jobs"), "submit", "all"]
        with self.console.status("submitting the jobs ..."):
            done = subprocess.run(  # noqa: S603  # a program of ours
                command, env={**os.environ, **self.endpoints.to_env()}, capture_output=True, text=True, check=False
            )
        self.console.print(done.stdout.rstrip(), style="dim", highlight=False)
        if done.returncode != 0:
            raise DemoError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")

    def _plan(self, session_id: str) -> ReplayPlan:
        recordings = self._recordings(os.environ)
        settings = EdgeSettings.load({"session_id": session_id})
        return plan_recordings(recordings, settings, boot=Boot(new_boot_id(os.urandom), self.clock.now_ms()))

    def _recordings(self, environment: Mapping[str, str]) -> Sequence[tuple[str, Recording]]:
        folder = data_folder(environment)
        recordings = gait_recordings(folder, self.count) if folder else []
        if recordings:
            self.console.print(f"replaying {len(recordings)} recordings of {folder} at {self.speed:g} x real time")
            return recordings
        self.console.print(
            "[yellow]no recordings found (BRAIN_DATA is not set and there is no ../shared/data):[/yellow] "
            f"replaying {self.count} synthetic walkers at {self.speed:g} x real time"
        )
        return synthetic_recordings(self.count)

    def _replay(self, plan: ReplayPlan) -> None:
        settings = EdgeSettings.load({"bootstrap_servers": self.endpoints.kafka_bootstrap, "speed": self.speed})
        interruption = Interruption()
        interruption.listen()
        with progress_bar(self.console) as show:
            summary = replay(plan, settings, clock=self.clock, on_progress=show, interruption=interruption)
        if not summary.ok:
            raise DemoError(f"the replay failed: {summary.failure or [str(bad) for bad in summary.bad]}")

    def _wait_for_scores(self, session_id: str, expected: int) -> None:
        client = initialise.clickhouse_client(self.endpoints)
        begin_s = self.clock.monotonic_s()
        counts: dict[str, int] = {}
        with self.console.status("waiting for the sessions to end ...") as status:
            while counts.get("inference_results", 0) < expected:
                waited_s = self.clock.monotonic_s() - begin_s
                if waited_s > self.timeout_s:
                    raise DemoError(
                        f"after {waited_s:.0f} s only {counts['inference_results']} of {expected} recordings have a "
                        f"result ({counts}); look at brain-jobs status and brain-jobs logs"
                    )
                counts = results.stage_counts(client, session_id)
                status.update(f"{waited_s:4.0f} s  " + "  ".join(f"{name} {count}" for name, count in counts.items()))
                self.clock.sleep(_POLL_S)


def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise DemoError(f"no program {name}: install iot-brain[jobs]")
    return found
