"""The whole line: recordings through edge, Kafka, Flink and ClickHouse equal the same recordings scored offline."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import (
    FEATURES_BASE,
    FEATURES_HEALTH,
    INFERENCE_ALERT,
    INFERENCE_RESULT,
    SESSION_FEATURES,
    Row,
)
from stack.demo.recordings import gait_recordings
from tests.line import Line, json_lines

pytestmark = [pytest.mark.e2e, pytest.mark.data]

RECORDINGS = 6
START = "2026-03-01T10:29:15+00:00"
PARTS: dict[str, Row] = {
    "session": SESSION_FEATURES,
    "health_features": FEATURES_HEALTH,
    "inference_result": INFERENCE_RESULT,
    "inference_alert": INFERENCE_ALERT,
}


@pytest.fixture(scope="module")
def recordings(brain_data: Path) -> dict[str, str]:
    """A patient and a control of each study: name -> address."""
    return {recording.name: address for address, recording in gait_recordings(brain_data, RECORDINGS)}


@pytest.fixture(scope="module")
def session_id() -> str:
    return f"e2e-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def offline(line: Line, recordings: dict[str, str], session_id: str) -> dict[str, dict[str, Any]]:
    """What `brain-jobs offline` prints, by device."""
    printed = line.run("brain-jobs", "offline", *recordings.values(), "--session", session_id, "--start", START).stdout
    return {entry["session"]["device_id"]: dict(entry) for entry in json_lines(printed)}


@pytest.fixture(scope="module")
def replayed(line: Line, recordings: dict[str, str], session_id: str) -> Line:
    """The line after the same recordings have passed it."""
    line.run("brain-edge", "replay", *recordings.values(), "--session", session_id, "--start", START, "--speed", "100")
    line.wait_for_rows(INFERENCE_RESULT, len(recordings), session_id=session_id)
    return line


def test_every_recording_has_one_session_and_one_score(
    recordings: dict[str, str], offline: dict[str, dict[str, Any]]
) -> None:
    assert {name[:4] for name in recordings} == {"GaCo", "GaPt", "JuCo", "JuPt", "SiCo", "SiPt"}
    assert offline.keys() == recordings.keys()
    assert all(0.0 <= entry["inference_result"]["score"] <= 1.0 for entry in offline.values())


@pytest.mark.parametrize("part", PARTS)
def test_the_line_writes_what_offline_scoring_says_field_by_field(
    part: str, replayed: Line, offline: dict[str, dict[str, Any]], session_id: str
) -> None:
    row = PARTS[part]
    expected = [entry[part] for entry in offline.values() if entry[part] is not None]
    stored = {
        values["device_id"]: values for values in replayed.wait_for_rows(row, len(expected), session_id=session_id)
    }
    assert stored.keys() == {values["device_id"] for values in expected}
    for values in expected:
        assert meaning(row, stored[values["device_id"]]) == meaning(row, values)


def test_the_base_features_of_every_channel_are_equal(
    replayed: Line, offline: dict[str, dict[str, Any]], session_id: str
) -> None:
    expected = {
        (values["device_id"], values["channel"]): meaning(FEATURES_BASE, values)
        for entry in offline.values()
        for values in entry["base_features"]
    }
    stored = replayed.wait_for_rows(FEATURES_BASE, len(expected), session_id=session_id)
    assert {(v["device_id"], v["channel"]): meaning(FEATURES_BASE, v) for v in stored} == expected


def test_an_alert_is_stored_exactly_where_the_score_reaches_the_threshold(
    replayed: Line, offline: dict[str, dict[str, Any]], session_id: str
) -> None:
    ringing = {
        name
        for name, entry in offline.items()
        if entry["inference_result"]["score"] >= entry["inference_result"]["threshold"]
    }
    alerts = replayed.wait_for_rows(INFERENCE_ALERT, len(ringing), session_id=session_id)
    assert {alert["device_id"] for alert in alerts} == ringing


def test_every_frame_is_stored_once_and_none_is_a_dead_letter(
    replayed: Line, offline: dict[str, dict[str, Any]], session_id: str
) -> None:
    sent = sum(entry["session"]["frames"] for entry in offline.values())
    query = "SELECT count(), uniqExact(event_id) FROM brain.rawframes WHERE session_id = %(session)s"
    replayed.wait_until(
        lambda: replayed.query(query, session=session_id)[0] == (sent, sent), f"{sent} frames of {session_id}"
    )
    dead = replayed.read("rawframes-dlq", lambda message: session_id.encode() in (message.key or b""))
    assert dead == []


def meaning(row: Row, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in row.arrival}
