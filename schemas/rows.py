"""The rows that derived topics and tables carry: each is declared here once and projected elsewhere.

Projections: JSON on the topics (`schemas/row_codec.py`), ClickHouse columns (clickhouse/*.sql, held to
these declarations by a contract test) and the feature vector of a model (`schemas/feature_schema.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.balance import BALANCE_FEATURES
from schemas.columns import Column, Kind
from schemas.environment import ENVIRONMENT_FEATURES
from schemas.health import GAIT_FEATURES
from schemas.plantar import PLANTAR_FEATURES
from schemas.power import POWER_FEATURES
from schemas.scanner import SCANNER_FEATURES
from schemas.topics import Topic

RowValues = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """The declaration of one kind of row.

    Attributes:
        name: singular noun, as in the code.
        topic: where it travels.
        table: where it is stored, in database `brain`.
        columns: in order.
        natural_key: the columns that identify what the row is about; a pure function of the events.
        arrival: columns that tell how the frames arrived, not what they say: the only ones in which two
            passes over the same frames may differ.
        column_names: the names of the columns in order.
    """

    name: str
    topic: Topic
    table: str
    columns: tuple[Column, ...]
    natural_key: tuple[str, ...]
    arrival: frozenset[str] = frozenset()
    column_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Notes the names once: rows are encoded by the million."""
        object.__setattr__(self, "column_names", tuple(column.name for column in self.columns))


SESSION_KEY = (
    Column("tenant_id", Kind.STRING, "who owns the device"),
    Column("device_id", Kind.STRING, "which device measured"),
    Column("session_id", Kind.STRING, "the device's own name of the session"),
    Column("sensor_type", Kind.STRING, "which sensor, see schemas/sensors.py"),
    Column("session_start_ms", Kind.TIMESTAMP_MS, "sensor time of the first sample", "ms"),
)
SESSION_KEY_NAMES = tuple(column.name for column in SESSION_KEY)

SESSION_EXTENT = (
    Column("session_end_ms", Kind.TIMESTAMP_MS, "sensor time at which the last sample's period ends", "ms"),
    Column("revision", Kind.INT64, "distinct frames behind the row: of two rows with one key the higher knows more"),
    Column("frames", Kind.INT64, "distinct frames in the session"),
    Column("last_append_ms", Kind.TIMESTAMP_MS, "broker's append time of the last frame", "ms"),
)
ARRIVAL = frozenset({"last_append_ms", "duplicate_frames", "resent_frames", "clock"})

SESSION_FEATURES = Row(
    name="session",
    topic=Topic.SESSION_FEATURES,
    table="session_features",
    natural_key=SESSION_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("duplicate_frames", Kind.INT64, "frames that arrived more than once"),
        Column("resent_frames", Kind.INT64, "frames that the edge marked as sent before"),
        Column("samples", Kind.INT64, "samples of each channel"),
        Column("expected_samples", Kind.INT64, "samples had no frame been missing between first and last"),
        Column("gaps", Kind.INT64, "silences inside the session longer than half a sample period"),
        Column("gap_ms", Kind.FLOAT64, "their total length", "ms"),
        Column("completeness", Kind.FLOAT64, "samples / expected_samples"),
        Column("sample_rate_hz", Kind.FLOAT64, "samples per second of covered sensor time", "Hz", nullable=True),
        Column("duration_s", Kind.FLOAT64, "from first sample to end", "s"),
        Column("cut", Kind.STRING, "none, head, tail or both: where the longest-session limit cut it"),
        Column("clock", Kind.STRING, "ok, ahead (of the broker by over 5 min) or unset (before 2000)"),
        Column("channels", Kind.STRINGS, "channel names, in the order of the lists below"),
        Column("channel_mean", Kind.FLOATS, "mean of each channel, in the sensor's unit"),
        Column("channel_std", Kind.FLOATS, "standard deviation (n) of each channel"),
        Column("channel_min", Kind.FLOATS, "least value of each channel"),
        Column("channel_max", Kind.FLOATS, "greatest value of each channel"),
    ),
)

FEATURES_BASE = Row(
    name="base_features",
    topic=Topic.FEATURES_BASE,
    table="features_base",
    natural_key=(*SESSION_KEY_NAMES, "channel"),
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("channel", Kind.STRING, "which channel of the sensor"),
        Column("unit", Kind.STRING, "unit of the values"),
        Column("mean", Kind.FLOAT64, "arithmetic mean"),
        Column("std", Kind.FLOAT64, "standard deviation (n)"),
        Column("rms", Kind.FLOAT64, "sqrt(mean^2 + std^2)"),
        Column("min", Kind.FLOAT64, "least value"),
        Column("max", Kind.FLOAT64, "greatest value"),
        Column("peak_to_peak", Kind.FLOAT64, "max - min"),
        Column("crest_factor", Kind.FLOAT64, "max(|min|, |max|) / rms; missing for a silent channel", nullable=True),
        Column("cv_pct", Kind.FLOAT64, "100 std / |mean|; missing for mean 0", "%", nullable=True),
        Column("range_used_pct", Kind.FLOAT64, "peak_to_peak as share of the sensor's valid range", "%"),
    ),
)

FEATURES_HEALTH = Row(
    name="health_features",
    topic=Topic.FEATURES_HEALTH,
    table="features_health",
    natural_key=SESSION_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("duration_s", Kind.FLOAT64, "from first sample to end", "s"),
        Column(
            "sample_rate_hz", Kind.FLOAT64, "of the signal; missing if its frames differ in rate", "Hz", nullable=True
        ),
        Column("feature_schema_hash", Kind.STRING, "of the feature names and units, in order"),
        Column("quality", Kind.STRING, "ok, or why features are missing"),
        Column("missing", Kind.STRINGS, "group:reason for each group in which a feature is missing"),
        *GAIT_FEATURES,
    ),
)

DESCRIBED = (
    Column("sample_rate_hz", Kind.FLOAT64, "of the signal; missing if its frames differ in rate", "Hz", nullable=True),
    Column("feature_schema_hash", Kind.STRING, "of the feature names and units, in order"),
    Column("quality", Kind.STRING, "ok, or why every feature is missing"),
    Column("missing", Kind.STRINGS, "group:reason for each group in which a feature is missing"),
)

FEATURES_BALANCE = Row(
    name="balance_features",
    topic=Topic.FEATURES_BALANCE,
    table="balance_features",
    natural_key=SESSION_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(*SESSION_KEY, *SESSION_EXTENT, *DESCRIBED, *BALANCE_FEATURES),
)

FEATURES_PLANTAR = Row(
    name="plantar_features",
    topic=Topic.FEATURES_PLANTAR,
    table="plantar_features",
    natural_key=SESSION_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(*SESSION_KEY, *SESSION_EXTENT, *DESCRIBED, *PLANTAR_FEATURES),
)

FEATURES_SCANNER = Row(
    name="scanner_features",
    topic=Topic.FEATURES_SCANNER,
    table="scanner_features",
    natural_key=SESSION_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(*SESSION_KEY, *SESSION_EXTENT, *DESCRIBED[1:], *SCANNER_FEATURES),
)

WINDOW = (
    Column("window_s", Kind.INT32, "length of the window in sensor time", "s"),
    *DESCRIBED[1:],
)
WINDOW_KEY_NAMES = (*SESSION_KEY_NAMES, "window_s")
"""A window's row has a session's key: its `session_start_ms` is where the window begins, and its `sensor_type` the
domain, for a window joins the sensors of a device."""

FEATURES_POWER = Row(
    name="power_features",
    topic=Topic.FEATURES_POWER,
    table="power_features",
    natural_key=WINDOW_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(*SESSION_KEY, *SESSION_EXTENT, *WINDOW, *POWER_FEATURES),
)

FEATURES_ENV = Row(
    name="env_features",
    topic=Topic.FEATURES_ENV,
    table="env_features",
    natural_key=WINDOW_KEY_NAMES,
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        *WINDOW,
        Column("pm25_correction_method", Kind.STRING, "none, or what was done to the PM2.5 readings"),
        *ENVIRONMENT_FEATURES,
    ),
)

INFERENCE_REQUEST = Row(
    name="inference_request",
    topic=Topic.INFERENCE_REQUESTS,
    table="",
    natural_key=("request_id",),
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("request_id", Kind.STRING, "hash of the session's key, its revision and the model"),
        Column("model_name", Kind.STRING, "which model is to score"),
        Column("feature_schema_hash", Kind.STRING, "of the model's feature names and units, in order"),
        Column("quality", Kind.STRING, "ok, or why features are missing"),
        Column("features", Kind.FLOATS, "in the order of the model's card"),
    ),
)

INFERENCE_RESULT = Row(
    name="inference_result",
    topic=Topic.INFERENCE_RESULTS,
    table="inference_results",
    natural_key=(*SESSION_KEY_NAMES, "model_name"),
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("request_id", Kind.STRING, "of the request"),
        Column("model_name", Kind.STRING, "which model scored"),
        Column("model_version", Kind.STRING, "its version"),
        Column("model_hash", Kind.STRING, "sha256 of the ONNX file"),
        Column("feature_schema_hash", Kind.STRING, "of the model's feature names and units, in order"),
        Column("score", Kind.FLOAT64, "the model's output, 0 to 1; missing if it refused", nullable=True),
        Column("threshold", Kind.FLOAT64, "score from which the alert rings, if the model rings at all"),
        Column("label", Kind.STRING, "the class the card's own threshold gives, or not_scored"),
        Column("reason", Kind.STRING, "ok, or why there is no score"),
    ),
)

INFERENCE_ALERT = Row(
    name="inference_alert",
    topic=Topic.INFERENCE_ALERTS,
    table="inference_alerts",
    natural_key=(*SESSION_KEY_NAMES, "model_name"),
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY,
        *SESSION_EXTENT,
        Column("alert_id", Kind.STRING, "hash of the session's key and the model: one alert, however often sent"),
        Column("request_id", Kind.STRING, "of the request"),
        Column("model_name", Kind.STRING, "which model scored"),
        Column("model_version", Kind.STRING, "its version"),
        Column("model_hash", Kind.STRING, "sha256 of the ONNX file"),
        Column("score", Kind.FLOAT64, "the score that passed the threshold"),
        Column("threshold", Kind.FLOAT64, "the threshold it passed"),
        Column("label", Kind.STRING, "the class the card's own threshold gives"),
    ),
)

DEVICE_STATUS = Row(
    name="device_status",
    topic=Topic.DEVICE_STATUS,
    table="device_status",
    natural_key=("tenant_id", "device_id", "boot_id", "sequence"),
    arrival=ARRIVAL,
    columns=(
        *SESSION_KEY[:2],
        Column("boot_id", Kind.STRING, "of the agent's start"),
        Column("sequence", Kind.INT64, "of the event within it"),
        Column("sensor_timestamp_ms", Kind.TIMESTAMP_MS, "the agent's clock", "ms"),
        Column("revision", Kind.INT64, "always 1: an event never changes"),
        Column("last_append_ms", Kind.TIMESTAMP_MS, "broker's append time", "ms"),
        Column("state", Kind.STRING, "started, online, connected, disconnected, silent or stopping"),
        Column("source", Kind.STRING, "through which the device speaks"),
        Column("detail", Kind.STRING, "why, for people"),
        Column("software_version", Kind.STRING, "of the agent"),
        Column("read_count", Kind.INT64, "measurements taken since its start"),
        Column("spooled_count", Kind.INT64, "events on disk"),
        Column("sent_count", Kind.INT64, "events that the receiver has stored; of the agent's own status"),
        Column("rejected_count", Kind.INT64, "what could not be read, or was refused for good"),
        Column("last_acknowledged_sequence", Kind.INT64, "spool position before which everything is acknowledged"),
        Column("spool_depth_count", Kind.INT64, "records that wait"),
        Column("spool_depth_bytes", Kind.INT64, "size of the spool", "B"),
        Column("lost_count", Kind.INT64, "records that the disk lost"),
        Column("dropped_count", Kind.INT64, "records dropped because the spool was full"),
        Column("clock_synchronised", Kind.BOOL, "whether a time service held the agent's clock"),
        Column("monotonic_ms", Kind.INT64, "the clock that never jumps", "ms"),
        Column("silent_sensors", Kind.STRINGS, "sensors that have fallen silent"),
    ),
)

ROWS = (
    SESSION_FEATURES,
    FEATURES_BASE,
    FEATURES_HEALTH,
    FEATURES_BALANCE,
    FEATURES_PLANTAR,
    FEATURES_SCANNER,
    FEATURES_POWER,
    FEATURES_ENV,
    INFERENCE_REQUEST,
    INFERENCE_RESULT,
    INFERENCE_ALERT,
    DEVICE_STATUS,
)
