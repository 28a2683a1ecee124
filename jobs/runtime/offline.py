"""Offline scoring: recordings through the same code as the line, without any server.

This is the one place where `jobs` meets `edge`: here the framer's records go straight into the line's
functions, where otherwise Kafka stands between them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, TextIO

import orjson

from edge.identity import Boot
from edge.plan import BadRecording, PlannedRecording, plan_replay
from edge.replay import recording_records
from edge.settings import EdgeSettings
from models import load_card, load_onnx
from schemas.rows import (
    FEATURES_BASE,
    FEATURES_HEALTH,
    INFERENCE_ALERT,
    INFERENCE_RESULT,
    SESSION_FEATURES,
    Row,
    RowValues,
    encode_row,
)
from udfs.line import SessionRows, run_line
from udfs.scorer import Scorer

OFFLINE_BOOT = "offline"


class Format(StrEnum):
    """How sessions are written."""

    JSONL = "jsonl"
    """One object a session: `session`, `base_features`, `health_features`, `inference_result`, `inference_alert`."""
    CSV = "csv"
    """One line a session: its row, its gait features and its result side by side."""


def offline_sessions(
    addresses: Sequence[str], settings: EdgeSettings, *, model: str, alert_threshold: float, now_ms: int
) -> tuple[Iterator[SessionRows], tuple[BadRecording, ...]]:
    """The sessions of recordings, as the line would write them, and the recordings that can't be read.

    Args:
        addresses: as `brain-edge replay` takes them.
        settings: names and start time of the replay that this stands for.
        model: which model scores.
        alert_threshold: score from which there is an alert.
        now_ms: stands for the time of the replay and for the broker's append time.
    """
    plan = plan_replay(addresses, settings, boot=Boot(OFFLINE_BOOT, now_ms))
    scorer = Scorer.load(load_onnx(model), load_card(model))
    framing = settings.framing()

    def sessions(item: PlannedRecording) -> list[SessionRows]:
        records = list(recording_records(item.recording, item.identity, item.start_ms, framing=framing))
        return run_line(records, scorer, alert_threshold=alert_threshold, append_ms=now_ms).sessions

    return (session for item in plan.items for session in sessions(item)), plan.bad


def session_object(session: SessionRows) -> dict[str, Any]:
    """The rows of a session as they stand on their topics."""
    return {
        "session": _wire(SESSION_FEATURES, session.session),
        "base_features": [_wire(FEATURES_BASE, row) for row in session.base_features],
        "health_features": _wire(FEATURES_HEALTH, session.health_features),
        "inference_result": _wire(INFERENCE_RESULT, session.inference_result),
        "inference_alert": _wire(INFERENCE_ALERT, session.inference_alert),
    }


def _wire(row: Row, values: RowValues | None) -> dict[str, Any] | None:
    if values is None:
        return None
    wire: dict[str, Any] = orjson.loads(encode_row(row, values))
    return wire


def write_sessions(sessions: Iterator[SessionRows], output: Format, stream: TextIO) -> int:
    """Writes every session as it is ready and returns how many there were."""
    count = 0
    writer: csv.DictWriter[str] | None = None
    for session in sessions:
        count += 1
        parts = session_object(session)
        if output is Format.JSONL:
            stream.write(orjson.dumps(parts).decode() + "\n")
            continue
        flat = _flat(parts)
        if writer is None:
            writer = csv.DictWriter(stream, list(flat), restval="", extrasaction="ignore")
            writer.writeheader()
        writer.writerow(flat)
    return count


def _flat(parts: dict[str, Any]) -> dict[str, Any]:
    health, result = parts["health_features"] or {}, parts["inference_result"] or {}
    flat = {**parts["session"], **health, **result, "alert": parts["inference_alert"] is not None}
    return {name: ";".join(map(str, value)) if isinstance(value, list) else value for name, value in flat.items()}
