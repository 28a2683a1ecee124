"""Every domain: recordings through edge, Kafka, Flink and ClickHouse equal the same recordings offline."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import trimesh

from schemas.meshes import INLINE_BYTES
from schemas.rows import (
    FEATURES_BALANCE,
    FEATURES_ENV,
    FEATURES_PLANTAR,
    FEATURES_POWER,
    FEATURES_SCANNER,
    INFERENCE_RESULT,
    Row,
)
from stack.demo.results import body_measures
from stack.initialise import clickhouse_client
from tests.line import Line, json_lines

pytestmark = [pytest.mark.e2e, pytest.mark.data]

RECORDINGS = (
    "health/bds/BDS00004.txt.gz",
    "health/plantar/pedar_example.asc.gz",
    "health/plantar/emed_test.lst.gz",
    "health/foot3d/makehuman_foot_left.ply",
    "health/foot3d/makehuman_foot_right.ply",
    "environment/uci_occupancy/datatest.txt.gz",
    "environment/airnow_wildfire/Carmel_Valley_hourly_pm25_wide.csv.gz",
    "power/plaid/plaid.npz#17",
    "power/comtrade_keating/keating_1999.CFG",
    "power/uci_household/household_2006-12-16_2007-01-11.txt.gz",
)
LIMIT_S = 36_000
START = "2026-03-01T10:29:15+00:00"
WINDOWS = {"POWER": FEATURES_POWER, "ENVIRONMENT": FEATURES_ENV}
SESSIONS = {
    "balance_features": FEATURES_BALANCE,
    "plantar_features": FEATURES_PLANTAR,
    "scanner_features": FEATURES_SCANNER,
}
DEVICES_WITH_WINDOWS = 5


@pytest.fixture(scope="module")
def large_foot(brain_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A foot of so many faces that it travels by reference."""
    mesh = trimesh.load_mesh(brain_data / "health" / "foot3d" / "makehuman_foot_left.ply", process=False)
    path = tmp_path_factory.mktemp("feet") / "large_left.ply"
    path.write_bytes(mesh.subdivide().subdivide().export(file_type="ply"))
    assert path.stat().st_size > INLINE_BYTES
    return path


@pytest.fixture(scope="module")
def names(brain_data: Path, large_foot: Path) -> list[str]:
    """What both programs are told: recordings, names, times."""
    addresses = [*(str(brain_data / recording) for recording in RECORDINGS), str(large_foot)]
    session = ["--session", f"e2e-{uuid.uuid4().hex[:8]}"]
    return [*addresses, *session, "--start", START, "--limit-seconds", str(LIMIT_S)]


@pytest.fixture(scope="module")
def session_id(names: list[str]) -> str:
    return names[names.index("--session") + 1]


@pytest.fixture(scope="module")
def offline(line: Line, names: list[str]) -> list[dict[str, Any]]:
    """The sessions and windows that `brain-jobs offline` prints."""
    return [dict(entry) for entry in json_lines(line.run("brain-jobs", "offline", *names).stdout)]


@pytest.fixture(scope="module")
def replayed(line: Line, names: list[str]) -> Line:
    """The line after the same recordings have passed it."""
    line.run("brain-edge", "replay", *names, "--speed", "max")
    return line


def windows_of(offline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in offline if "window" in entry]


def test_every_meter_and_climate_sensor_has_its_windows(offline: list[dict[str, Any]]) -> None:
    windows = [entry["window"] for entry in windows_of(offline)]
    found = {(window["sensor_type"], window["window_s"]) for window in windows}
    assert found == {(domain, length) for domain in WINDOWS for length in (60, 300, 86_400)} | {("POWER", 600)}
    assert len({window["device_id"] for window in windows}) == DEVICES_WITH_WINDOWS


@pytest.mark.parametrize("part", SESSIONS)
def test_sessions_on_plates_and_pressure_devices_are_equal(
    part: str, replayed: Line, offline: list[dict[str, Any]], session_id: str
) -> None:
    row = SESSIONS[part]
    expected = by_key(row, [entry[part] for entry in offline if entry.get(part) is not None])
    assert expected
    assert by_key(row, when_complete(replayed, row, expected, session_id)) == expected


def test_a_scan_by_reference_is_fetched_from_the_store(
    replayed: Line, offline: list[dict[str, Any]], session_id: str
) -> None:
    expected = by_key(
        FEATURES_SCANNER, [entry["scanner_features"] for entry in offline if entry.get("scanner_features")]
    )
    stored = by_key(FEATURES_SCANNER, when_complete(replayed, FEATURES_SCANNER, expected, session_id))
    (large,) = [row for row in stored.values() if row["device_id"] == "large"]
    assert large["foot_length_left_mm"] == pytest.approx(244.1, abs=0.1)
    query = "SELECT max(length(payload)) FROM brain.rawframes WHERE session_id = %(session)s AND device_id = 'large'"
    assert 0 < replayed.query(query, session=session_id)[0][0] < 1_000


def test_the_demo_shows_what_is_stored_of_stances_pressures_and_feet(
    replayed: Line, offline: list[dict[str, Any]], session_id: str
) -> None:
    for part, row in SESSIONS.items():
        when_complete(replayed, row, by_key(row, [entry[part] for entry in offline if entry.get(part)]), session_id)
    measures = body_measures(clickhouse_client(replayed.endpoints), session_id)
    shown = {one.sensor_type: one for one in measures if one.device_id != "large"}
    assert set(shown) == {"FORCE_PLATE", "EMED", "PEDAR_Y", "SCANNER"}
    described = {
        entry["session"]["sensor_type"]: entry[part]
        for entry in offline
        for part in SESSIONS
        if entry.get(part) and entry["session"]["device_id"] != "large"
    }
    assert shown["FORCE_PLATE"].sway_mm_per_s == 10 * described["FORCE_PLATE"]["cop_velocity_cm_per_s"]
    assert shown["PEDAR_Y"].peak_pressure_kpa == described["PEDAR_Y"]["peak_pressure_mean_kpa"]
    assert shown["EMED"].arch_index == described["EMED"]["arch_index_mean"]
    assert shown["EMED"].foot_length_mm is None
    assert shown["SCANNER"].foot_length_mm == described["SCANNER"]["foot_length_mean_mm"]
    assert shown["SCANNER"].ball_width_mm == described["SCANNER"]["ball_width_mean_mm"]


@pytest.mark.parametrize("domain", WINDOWS)
def test_the_line_writes_what_offline_describes_field_by_field(
    domain: str, replayed: Line, offline: list[dict[str, Any]], session_id: str
) -> None:
    row = WINDOWS[domain]
    expected = by_key(
        row, [entry["window"] for entry in windows_of(offline) if entry["window"]["sensor_type"] == domain]
    )
    stored = by_key(row, when_complete(replayed, row, expected, session_id))
    assert stored.keys() == expected.keys()
    for key, values in expected.items():
        assert stored[key] == values


def test_the_scores_of_windows_are_equal(replayed: Line, offline: list[dict[str, Any]], session_id: str) -> None:
    expected = by_key(
        INFERENCE_RESULT, [result for entry in windows_of(offline) for result in entry["inference_results"]]
    )
    assert expected
    stored = by_key(INFERENCE_RESULT, when_complete(replayed, INFERENCE_RESULT, expected, session_id))
    assert stored == expected


def when_complete(line: Line, row: Row, expected: dict[Any, dict[str, Any]], session_id: str) -> list[dict[str, Any]]:
    """The stored rows, once each knows as many frames as offline: before, a window may stand there in part."""
    found: list[dict[str, Any]] = []

    def complete() -> bool:
        found[:] = line.stored(row, session_id=session_id)
        return {key: values["revision"] for key, values in by_key(row, found).items()} == {
            key: values["revision"] for key, values in expected.items()
        }

    line.wait_until(complete, f"{len(expected)} complete {row.name} rows of {session_id}")
    return found


def by_key(row: Row, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        tuple(values[name] for name in row.natural_key): {
            name: value for name, value in values.items() if name not in row.arrival
        }
        for values in rows
    }
