from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from edge.framing import Framing
from edge.identity import Boot
from edge.plan import plan_recordings
from edge.recordings.synthetic_gait import synthesize_gait
from edge.records import plan_records
from edge.settings import EdgeSettings
from edge.testing import ManualClock
from schemas.environment import ENVIRONMENT_FEATURE_NAMES
from schemas.power import POWER_FEATURE_NAMES
from schemas.sensors import Domain
from stack.demo import report, results
from stack.demo.command import DomainChoice
from stack.demo.recordings import DATA_VARIABLE, domain_recordings
from stack.demo.results import Answer, EnvironmentDevice, PowerDevice
from stack.demo.run import Demo, DemoError
from stack.demo.waiting import Settled
from stack.endpoints import StackEndpoints

WIDTH = 80
LONG = "household_2006-12-16_2007-01-11"


class AskedClient:
    """Stands where ClickHouse answers, and keeps what it was asked."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.asked: list[tuple[str, dict[str, str]]] = []

    def execute(self, query: str, parameters: dict[str, str]) -> list[tuple[Any, ...]]:
        self.asked.append((query, parameters))
        return self.rows


def _console() -> Console:
    return Console(width=WIDTH, file=io.StringIO(), highlight=False)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _demo(console: Console, *domains: Domain) -> Demo:
    endpoints = StackEndpoints("k:1", "http://f:1", "c", 1, 2)
    return Demo(
        endpoints, domains=domains, count=3, speed=30.0, timeout_s=10.0, clock=ManualClock(), console=console
    )  # fmt: skip


def test_all_means_every_domain() -> None:
    assert DomainChoice.ALL.domains == tuple(Domain)
    assert [choice.domains for choice in DomainChoice if choice is not DomainChoice.ALL] == [
        (domain,) for domain in Domain
    ]


def test_without_data_people_are_synthetic_and_the_rest_is_said_to_be_missing(tmp_path: Path) -> None:
    console = _console()
    chosen = _demo(console, *Domain).choose_recordings({DATA_VARIABLE: str(tmp_path / "nowhere")})
    assert [address for address, _ in chosen[Domain.HEALTH]] == ["walker-1", "walker-2", "walker-3"]
    assert list(chosen) == [Domain.HEALTH]
    assert "no recordings of health and power and environment" in _text(console)
    assert "power and environment need data" in " ".join(_text(console).split())


def test_a_domain_without_data_has_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=DATA_VARIABLE):
        _demo(_console(), Domain.POWER).choose_recordings({DATA_VARIABLE: str(tmp_path)})


@pytest.mark.data
def test_power_and_environment_are_what_the_demo_promises(brain_data: Path, boot: Boot) -> None:
    power = domain_recordings(Domain.POWER, brain_data, 1)
    plaid = {recording.name for _, recording in power if recording.name.startswith("plaid-")}
    assert len(plaid) == 12
    assert {recording.name for _, recording in power} - plaid == {LONG, "keating_1999", "power-quality-meter"}
    watts = [recording for _, recording in power if (recording.name, recording.sensor_type) == (LONG, "WATT")]
    assert sum(len(recording.samples) for recording in watts) == 2 * 1_440
    air = domain_recordings(Domain.ENVIRONMENT, brain_data, 1)
    monitors = {recording.name for _, recording in air} - {"datatest", "datatraining"}
    assert len(monitors) == 3
    hours = sum(len(recording.samples) for _, recording in air if recording.name in monitors)
    assert hours == 3 * 72
    for recordings in (power, air):
        plan = plan_recordings(recordings, EdgeSettings.load({"session_id": "demo-1", "speed": 0}), boot=boot)
        assert plan.bad == ()
        assert {item.identity.session_id for item in plan.items} == {"demo-1"}
        assert all(item.identity.device_id == item.recording.name for item in plan.items)
        assert next(plan_records(plan.items, Framing())).key.startswith(b"local/")


@pytest.fixture
def boot() -> Boot:
    return Boot("b0", 1_700_000_000_000)


@pytest.mark.parametrize(
    ("read", "features"),
    [
        (results.environment_devices, ENVIRONMENT_FEATURE_NAMES),
        (results.power_devices, POWER_FEATURE_NAMES),
    ],
)
def test_queries_ask_for_columns_that_exist_and_for_one_run(read: Any, features: tuple[str, ...]) -> None:
    client = AskedClient([])
    assert read(client, "demo-1") == []
    ((query, parameters),) = client.asked
    assert parameters == {"session": "demo-1"}
    columns = set(re.findall(r"\b[a-z]\w*_\w+\b", query.replace("brain.", "")))
    assert columns - {"device_id", "window_s", "session_id", "env_features", "power_features"} <= set(features)
    assert "FINAL\nWHERE session_id = %(session)s\n" in query


def test_rows_become_what_they_say() -> None:
    air = results.environment_devices(AskedClient([("room", 35, 7, 1, 20.5, 31.0, 3.1, 900.0, None)]), "s")
    assert air == [EnvironmentDevice("room", 35, 7, 1, 20.5, 31.0, 3.1, 900.0, None)]
    power = results.power_devices(AskedClient([("plant", 60, 9, 1, 231.0, 5.0, 1e3, 0.9, 2.0, 8.0)]), "s")
    assert power == [PowerDevice("plant", 60, 9, 1, 231.0, 5.0, 1e3, 0.9, 2.0, 8.0)]


def test_walks_and_windows_are_counted_apart() -> None:
    client = AskedClient([(4,)])
    assert results.health_counts(client, "s") == dict.fromkeys(results.HEALTH_STAGES, 4)
    assert {parameters["sensor"] for _, parameters in client.asked} == {"GRF"}
    client.asked.clear()
    assert results.window_counts(client, "s", Domain.POWER) == (4, 4)
    assert [parameters["sensor"] for _, parameters in client.asked] == ["POWER", "POWER"]
    assert "brain.power_features" in client.asked[0][0]
    client.asked.clear()
    client.rows = [("room", "m", "occupied", 3, 0.75)]
    assert results.window_answers(client, "s", Domain.ENVIRONMENT) == [Answer("room", "m", "occupied", 3, 0.75)]
    assert client.asked[0][1] == {"session": "s", "sensor": "ENVIRONMENT"}


def test_environment_fits_the_terminal_and_says_what_models_say() -> None:
    console = _console()
    devices = [
        EnvironmentDevice("datatraining", 8_143, 1_629, 6, 20.62, 25.71, -0.05, 2_028.5, None),
        EnvironmentDevice("55a69cdf6e91b726_wrcc.sm16", 72, 72, 3, None, None, None, None, 151.0),
    ]
    answers = [
        Answer("datatraining", "room_occupancy", "occupied", 429, 0.91),
        Answer("datatraining", "room_occupancy", "empty", 1_200, 0.08),
        Answer("55a69cdf6e91b726_wrcc.sm16", "room_occupancy", "missing_feature:co2_mean_ppm", 3, None),
    ]
    report.show_environment(console, devices, answers)
    lines = _text(console).splitlines()
    assert max(map(len, lines)) <= WIDTH
    (room,) = [line.split() for line in lines if line.lstrip().startswith("datatraining")]
    assert room == ["datatraining", "8,143", "1,629", "6", "20.6", "25.7", "-0.1", "2028", "-"]
    told = [line for line in lines if line.startswith("room_occupancy: datatraining")]
    assert [line.split()[2:5] for line in told] == [["empty", "in", "1,200"], ["occupied", "in", "429"]]
    assert "mean score 0.91" in told[1]


def test_power_fits_the_terminal_with_the_longest_name() -> None:
    console = _console()
    devices = [
        PowerDevice(LONG, 2_880, 576, 3, 240.1, 5.25, 1_312.0, None, None, None),
        PowerDevice("plaid-016", 1, 1, 0, 118.2, 10.51, 1_204.0, 0.97, 2.1, 12.4),
        PowerDevice("power-quality-meter", 1_180, 235, 1, 287.6, 734.56, 451_234.0, 0.99, None, None),
    ]
    report.show_power(console, devices, [Answer("plaid-016", "appliance", "class_3", 1, 0.52)] * 20)
    lines = _text(console).splitlines()
    assert max(map(len, lines)) <= WIDTH
    (event,) = [line.split() for line in lines if line.lstrip().startswith("plaid-016")]
    assert event == ["plaid-016", "1", "1", "0", "118.2", "10.51", "1204", "0.97", "2.1", "12.4"]
    assert any("8 more answers" in line for line in lines)


def test_settled_is_what_came_and_then_stayed_the_same() -> None:
    settled = Settled(8.0)
    assert not settled.update((0, 0), 0.0, there=False)
    assert not settled.update((0, 0), 60.0, there=False)
    assert not settled.update((3, 0), 61.0, there=True)
    assert not settled.update((3, 0), 68.9, there=True)
    assert not settled.update((3, 1), 69.0, there=True)
    assert not settled.update((3, 1), 76.9, there=True)
    assert settled.update((3, 1), 77.0, there=True)


class CountingClient:
    """Answers counts that follow the clock."""

    def __init__(self, clock: ManualClock, counts: Any) -> None:
        self.clock, self.counts = clock, counts

    def execute(self, query: str, parameters: dict[str, str]) -> list[tuple[int]]:
        return [(self.counts(parameters["sensor"], self.clock.monotonic_s()),)]


def test_the_demo_waits_until_nothing_more_comes() -> None:
    demo = _demo(_console(), Domain.POWER)
    assert isinstance(demo.clock, ManualClock)
    client: Any = CountingClient(demo.clock, lambda sensor, now_s: 0 if now_s < 1.9 else 5)
    demo.wait_for_results(client, "s", {Domain.POWER: []})
    assert 9.9 <= demo.clock.monotonic_s() <= 11.0


def test_the_demo_gives_up_and_names_what_is_missing() -> None:
    demo = _demo(_console(), Domain.HEALTH, Domain.ENVIRONMENT)
    assert isinstance(demo.clock, ManualClock)
    client: Any = CountingClient(demo.clock, lambda sensor, now_s: 7 if sensor == "ENVIRONMENT" else 0)
    walks = [("walk", synthesize_gait(5.0, seed=1).recording)]
    with pytest.raises(DemoError, match=r"\(health: rawframes 0 .*inference_results 0.*\)") as caught:
        demo.wait_for_results(client, "s", {Domain.ENVIRONMENT: [], Domain.HEALTH: walks})
    assert "environment" not in str(caught.value)
