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
from edge.records import plan_records
from edge.settings import EdgeSettings
from schemas.row_codec import encode_row
from schemas.rows import (
    FEATURES_BALANCE,
    FEATURES_BASE,
    FEATURES_ENV,
    FEATURES_HEALTH,
    FEATURES_PLANTAR,
    FEATURES_POWER,
    FEATURES_SCANNER,
    INFERENCE_ALERT,
    INFERENCE_RESULT,
    SESSION_FEATURES,
    Row,
    RowValues,
)
from schemas.sensors import Domain
from udfs.line import LineRows, LineSettings, SessionRows, WindowRows, run_line

OFFLINE_BOOT = "offline"

Bad = tuple[BadRecording, ...]


class Format(StrEnum):
    """How sessions and windows are written."""

    JSONL = "jsonl"
    """One object a session: `session`, `base_features`, `health_features`, `balance_features`, `plantar_features`,
    `scanner_features`, `inference_result`, `inference_alert`; then one a window: `window`, `inference_results`,
    `inference_alerts`."""
    CSV = "csv"
    """One line a session: its row, its features and its result side by side. Windows are left out."""


def offline_rows(addresses: Sequence[str], edge: EdgeSettings, line: LineSettings) -> tuple[Iterator[LineRows], Bad]:
    """What the line would write about recordings, device by device, and the recordings that can't be read.

    Args:
        addresses: as `brain-edge replay` takes them.
        edge: names and start time of the replay that this stands for.
        line: models and limits; its `append_ms` also stands for the time of the replay.
    """
    plan = plan_replay(addresses, edge, boot=Boot(OFFLINE_BOOT, line.append_ms))
    devices: dict[str, list[PlannedRecording]] = {}
    for item in plan.items:
        devices.setdefault(item.identity.device_id, []).append(item)
    framing = edge.framing()
    return (run_line(list(plan_records(items, framing)), line) for items in devices.values()), plan.bad


def session_object(session: SessionRows) -> dict[str, Any]:
    """The rows of a session as they stand on their topics."""
    return {
        "session": _wire(SESSION_FEATURES, session.session),
        "base_features": [_wire(FEATURES_BASE, row) for row in session.base_features],
        "health_features": _wire(FEATURES_HEALTH, session.health_features),
        "balance_features": _wire(FEATURES_BALANCE, session.balance_features),
        "plantar_features": _wire(FEATURES_PLANTAR, session.plantar_features),
        "scanner_features": _wire(FEATURES_SCANNER, session.scanner_features),
        "inference_result": _wire(INFERENCE_RESULT, session.inference_result),
        "inference_alert": _wire(INFERENCE_ALERT, session.inference_alert),
    }


def window_object(window: WindowRows) -> dict[str, Any]:
    """The rows of a window as they stand on their topics."""
    row = FEATURES_POWER if window.domain is Domain.POWER else FEATURES_ENV
    return {
        "window": _wire(row, window.features),
        "inference_results": [_wire(INFERENCE_RESULT, result) for result in window.inference_results],
        "inference_alerts": [_wire(INFERENCE_ALERT, alert) for alert in window.inference_alerts],
    }


def _wire(row: Row, values: RowValues | None) -> dict[str, Any] | None:
    if values is None:
        return None
    wire: dict[str, Any] = orjson.loads(encode_row(row, values))
    return wire


def write_rows(devices: Iterator[LineRows], output: Format, stream: TextIO) -> int:
    """Writes every device's sessions and windows as they are ready and returns how many sessions there were."""
    write = _write_lines if output is Format.JSONL else _CsvWriter().write
    count = 0
    for rows in devices:
        count += len(rows.sessions)
        write(rows, stream)
    return count


def _write_lines(rows: LineRows, stream: TextIO) -> None:
    for line in (*map(session_object, rows.sessions), *map(window_object, rows.windows)):
        stream.write(orjson.dumps(line).decode() + "\n")


class _CsvWriter:
    def __init__(self) -> None:
        self._writer: csv.DictWriter[str] | None = None

    def write(self, rows: LineRows, stream: TextIO) -> None:
        for session in rows.sessions:
            flat = _flat(session_object(session))
            if self._writer is None:
                self._writer = csv.DictWriter(stream, list(flat), restval="", extrasaction="ignore")
                self._writer.writeheader()
            self._writer.writerow(flat)


_DESCRIPTIONS = ("health_features", "balance_features", "plantar_features", "scanner_features")


def _flat(parts: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = next(filter(None, map(parts.__getitem__, _DESCRIPTIONS)), {})
    flat = {
        **parts["session"],
        **described,
        **(parts["inference_result"] or {}),
        "alert": parts["inference_alert"] is not None,
    }
    return {name: ";".join(map(str, value)) if isinstance(value, list) else value for name, value in flat.items()}
