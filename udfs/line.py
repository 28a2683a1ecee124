"""The whole line as one function: records in, the rows of every stage out, without Kafka, Flink or ClickHouse.

It calls what the jobs call, in their order, so its rows are those that the line would write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.envelope import Record, RecordKey
from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from schemas.rows import RowValues
from schemas.sensors import GAIT_SENSOR
from udfs.base_rows import derive_base_features
from udfs.frames import validate_frames
from udfs.health_rows import RecordGroup, extract_health_features
from udfs.inference_rows import build_requests, score_requests
from udfs.scorer import Scorer
from udfs.sessions import FrameGroup, summarize_sessions


@dataclass(slots=True)
class SessionRows:
    """What the line writes about one session; None or empty where its sensor has no such stage."""

    session: RowValues
    base_features: list[RowValues] = field(default_factory=list)
    health_features: RowValues | None = None
    inference_result: RowValues | None = None
    inference_alert: RowValues | None = None


@dataclass(frozen=True, slots=True)
class LineRows:
    """The sessions among the records, and why records were refused."""

    sessions: list[SessionRows]
    dead_letters: list[InvalidMessage]


def run_line(records: Sequence[Record], scorer: Scorer, *, alert_threshold: float, append_ms: int) -> LineRows:
    """Takes records through validation, sessions, features and inference.

    Args:
        records: in any order.
        scorer: of the health sessions.
        alert_threshold: score from which there is an alert.
        append_ms: stands for the broker's append time of all of them.
    """
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers.get(SENSOR_MS) for record in records],
        [append_ms] * len(records),
    )
    frames: dict[tuple[bytes, int], list[tuple[bytes, bytes]]] = {}
    for record, bucket, summary in zip(records, verdicts.bucket_ms.tolist(), verdicts.summary, strict=True):
        if summary is not None:
            frames.setdefault((record.key, bucket), []).append((summary, record.value))
    sessions: list[SessionRows] = []
    for (key, bucket), group in frames.items():
        sessions += _run_group(RecordKey.from_bytes(key), bucket, group, append_ms)
    _score(sessions, scorer, alert_threshold)
    dead = [
        InvalidMessage(Reason(reason), detail or "")
        for reason, detail in zip(verdicts.reason, verdicts.detail, strict=True)
        if reason is not None
    ]
    return LineRows(sessions, dead)


def _run_group(
    key: RecordKey, bucket_ms: int, group: Sequence[tuple[bytes, bytes]], append_ms: int
) -> list[SessionRows]:
    (rows,) = summarize_sessions([FrameGroup(key, bucket_ms, [summary for summary, _ in group])])
    made = [SessionRows(row, base) for row, base in zip(rows, derive_base_features(rows), strict=True)]
    if key.sensor_type == GAIT_SENSOR:
        (features,) = extract_health_features([RecordGroup(key, append_ms, [value for _, value in group])])
        for session, health in zip(made, features, strict=True):
            session.health_features = health
    return made


def _score(sessions: Sequence[SessionRows], scorer: Scorer, alert_threshold: float) -> None:
    asked = [session for session in sessions if session.health_features is not None]
    requests = build_requests([session.health_features or {} for session in asked], scorer.card)
    for session, scored in zip(asked, score_requests(requests, scorer, alert_threshold), strict=True):
        session.inference_result, session.inference_alert = scored.result, scored.alert
