"""Any schedule of appends, commits, acknowledgements, failing syncs, full disks and power cuts: the promises hold."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.unit.edge.spool.crash_model import CrashModel


class CrashMachine(RuleBasedStateMachine):
    """Each rule is something that happens to a spool; `CrashModel` judges after every start."""

    model: CrashModel

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.model = CrashModel(seed)

    @rule(count=st.integers(1, 30), size=st.sampled_from([20, 100, 900]))
    def append(self, count: int, size: int) -> None:
        self.model.append(count, size)

    @rule()
    def commit(self) -> None:
        self.model.commit()

    @rule(count=st.integers(1, 40))
    def hand_out(self, count: int) -> None:
        self.model.hand_out(count)

    @rule(part=st.sampled_from([0.3, 0.9, 1.0]))
    def acknowledge(self, part: float) -> None:
        self.model.acknowledge(part)

    @rule()
    def save_cursor(self) -> None:
        self.model.save_cursor()

    @rule()
    def read(self) -> None:
        self.model.read()

    @rule()
    def resend(self) -> None:
        self.model.resend()

    @rule()
    def write_back(self) -> None:
        self.model.write_back()

    @rule(count=st.integers(0, 3))
    def fail_syncs(self, count: int) -> None:
        self.model.fail_syncs(count)

    @rule(free=st.one_of(st.none(), st.integers(0, 3_000)))
    def set_free_bytes(self, free: int | None) -> None:
        self.model.set_free_bytes(free)

    @rule(calls=st.integers(1, 12))
    def cut_power_in(self, calls: int) -> None:
        self.model.cut_power_in(calls)

    @rule()
    def stop_cleanly(self) -> None:
        self.model.stop_cleanly()

    @rule()
    def crash(self) -> None:
        self.model.crash()

    @rule()
    def kill(self) -> None:
        self.model.kill()

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.model.crash()


TestCrashes = CrashMachine.TestCase
TestCrashes.settings = settings(max_examples=100, stateful_step_count=40, suppress_health_check=list(HealthCheck))
