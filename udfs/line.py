"""The whole line as one function: records in, the rows of every stage out, without Kafka, Flink or ClickHouse.

It calls what the jobs call, in their order, so its rows are those that the line would write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from schemas.envelope import Record, RecordKey
from schemas.environment import EnvironmentSettings
from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from schemas.meshes import FetchScan
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.pressure_devices import PRESSURE_DEVICES
from schemas.rows import RowValues
from schemas.sensors import GAIT_SENSOR, PLATE_SENSOR, SCAN_SENSOR, Domain
from udfs.balance_rows import extract_balance_features
from udfs.base_rows import derive_base_features
from udfs.environment_rows import ENVIRONMENT_WINDOWS, extract_environment_features
from udfs.frames import Verdicts, validate_frames
from udfs.health_rows import extract_health_features
from udfs.inference_rows import Scored, build_requests, score_requests
from udfs.plantar_rows import extract_plantar_features
from udfs.power_rows import POWER_WINDOWS, extract_power_features
from udfs.scanner_rows import extract_scanner_features
from udfs.scorer import Scorer
from udfs.session_rows import RecordGroup
from udfs.sessions import FrameGroup, summarize_sessions
from udfs.windows import WindowGroup, Windowing


@dataclass(slots=True)
class SessionRows:
    """What the line writes about one session; None or empty where its sensor has no such stage."""

    session: RowValues
    base_features: list[RowValues] = field(default_factory=list)
    health_features: RowValues | None = None
    balance_features: RowValues | None = None
    plantar_features: RowValues | None = None
    scanner_features: RowValues | None = None
    inference_result: RowValues | None = None
    inference_alert: RowValues | None = None

    def take(self, scored: Scored) -> None:
        """Adds what a model says: one model scores sessions."""
        self.inference_result, self.inference_alert = scored.result, scored.alert


@dataclass(slots=True)
class WindowRows:
    """What the line writes about one window of a device; several models may score it."""

    domain: Domain
    features: RowValues
    inference_results: list[RowValues] = field(default_factory=list)
    inference_alerts: list[RowValues] = field(default_factory=list)

    def take(self, scored: Scored) -> None:
        """Adds what a model says."""
        self.inference_results += [scored.result] if scored.result else []
        self.inference_alerts += [scored.alert] if scored.alert else []


@dataclass(frozen=True, slots=True)
class LineRows:
    """The sessions and windows among the records, and why records were refused."""

    sessions: list[SessionRows]
    windows: list[WindowRows]
    dead_letters: list[InvalidMessage]


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What the jobs take from their settings.

    Attributes:
        scorers: each scores the rows of its domain.
        alert_threshold: score from which there is an alert.
        append_ms: stands for the broker's append time of all records.
        supplies, places: see the features of power and environment.
        fetch_scan: gives the meshes to which frames refer; None where there is no scan store.
    """

    scorers: Sequence[Scorer]
    alert_threshold: float
    append_ms: int
    supplies: PerDevice[Supply] = field(default_factory=lambda: PerDevice(Supply()))
    places: PerDevice[EnvironmentSettings] = field(default_factory=lambda: PerDevice(EnvironmentSettings()))
    fetch_scan: FetchScan | None = None


def run_line(records: Sequence[Record], settings: LineSettings) -> LineRows:
    """Takes records, in any order, through validation, sessions, windows, features and inference."""
    verdicts = validate_frames(
        [record.key for record in records],
        [record.value for record in records],
        [record.headers.get(SENSOR_MS) for record in records],
        [settings.append_ms] * len(records),
    )
    dead = [
        InvalidMessage(Reason(reason), detail or "")
        for reason, detail in zip(verdicts.reason, verdicts.detail, strict=True)
        if reason is not None
    ]
    good = [record for record, summary in zip(records, verdicts.summary, strict=True) if summary is not None]
    sessions, windows = _sessions(records, verdicts, settings), _windows(good, settings)
    for scorer in settings.scorers:
        _score(sessions, windows, scorer, settings.alert_threshold)
    return LineRows(sessions, windows, dead)


def _sessions(records: Sequence[Record], verdicts: Verdicts, settings: LineSettings) -> list[SessionRows]:
    frames: dict[tuple[bytes, int], list[tuple[bytes, bytes]]] = {}
    for record, bucket, summary in zip(records, verdicts.bucket_ms.tolist(), verdicts.summary, strict=True):
        if summary is not None:
            frames.setdefault((record.key, bucket), []).append((summary, record.value))
    sessions: list[SessionRows] = []
    for (key, bucket), group in frames.items():
        sessions += _session_group(RecordKey.from_bytes(key), bucket, group, settings)
    return sessions


def _session_group(
    key: RecordKey, bucket_ms: int, group: Sequence[tuple[bytes, bytes]], settings: LineSettings
) -> list[SessionRows]:
    (rows,) = summarize_sessions([FrameGroup(key, bucket_ms, [summary for summary, _ in group])])
    made = [SessionRows(row, base) for row, base in zip(rows, derive_base_features(rows), strict=True)]
    records = RecordGroup(key, settings.append_ms, [value for _, value in group])
    for name, sensors, extract in _SESSION_FEATURES:
        if key.sensor_type in sensors:
            for session, features in zip(made, extract([records], settings)[0], strict=True):
                setattr(session, name, features)
    return made


_Extract = Callable[[Sequence[RecordGroup], LineSettings], list[list[RowValues]]]
_SESSION_FEATURES: tuple[tuple[str, tuple[str, ...], _Extract], ...] = (
    ("health_features", (GAIT_SENSOR,), lambda groups, _: extract_health_features(groups)),
    ("balance_features", (PLATE_SENSOR,), lambda groups, _: extract_balance_features(groups)),
    ("plantar_features", tuple(PRESSURE_DEVICES), lambda groups, _: extract_plantar_features(groups)),
    (
        "scanner_features",
        (SCAN_SENSOR,),
        lambda groups, settings: extract_scanner_features(groups, settings.fetch_scan),
    ),
)
"""What is said of a session beside its statistics: the field of `SessionRows`, of which sensors, by which function."""


def _windows(records: Sequence[Record], settings: LineSettings) -> list[WindowRows]:
    power = _group_windows(records, POWER_WINDOWS, settings.append_ms)
    climate = _group_windows(records, ENVIRONMENT_WINDOWS, settings.append_ms)
    return [
        *_described(Domain.POWER, power, lambda groups: extract_power_features(groups, settings.supplies)),
        *_described(Domain.ENVIRONMENT, climate, lambda groups: extract_environment_features(groups, settings.places)),
    ]


def _group_windows(records: Sequence[Record], windowing: Windowing, append_ms: int) -> list[WindowGroup]:
    frames: dict[tuple[RecordKey, int, int], list[bytes]] = {}
    for record in records:
        key = RecordKey.from_bytes(record.key)
        joined = key._replace(sensor_type=windowing.key)
        for window_s, start_ms in windowing.windows_of(key, int(record.headers[SENSOR_MS]), record.value):
            frames.setdefault((joined, start_ms, window_s), []).append(record.value)
    return [
        WindowGroup(key, start_ms, window_s, append_ms, values) for (key, start_ms, window_s), values in frames.items()
    ]


def _described(
    domain: Domain,
    groups: Sequence[WindowGroup],
    extract: Callable[[Sequence[WindowGroup]], list[RowValues | None]],
) -> list[WindowRows]:
    return [WindowRows(domain, row) for row in extract(groups) if row is not None]


def _score(
    sessions: Sequence[SessionRows], windows: Sequence[WindowRows], scorer: Scorer, alert_threshold: float
) -> None:
    described: list[tuple[SessionRows | WindowRows, RowValues]] = []
    if scorer.card.domain is Domain.HEALTH:
        described += [(session, session.health_features) for session in sessions if session.health_features]
    described += [(window, window.features) for window in windows if window.domain is scorer.card.domain]
    made = build_requests([row for _, row in described], scorer.card)
    asked = [(owner, request) for (owner, _), found in zip(described, made, strict=True) for request in found]
    results = score_requests([request for _, request in asked], scorer, alert_threshold)
    for (owner, _), scored in zip(asked, results, strict=True):
        owner.take(scored)
