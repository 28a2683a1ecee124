"""The rows that derived topics and tables carry: each is declared here once and projected elsewhere.

Projections: JSON on the topics (`encode_row`, `decode_row`), ClickHouse columns (clickhouse/*.sql, held to
these declarations by a contract test) and the feature vector of a model (`schemas/feature_schema.py`).
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.columns import Column, Kind
from schemas.errors import InvalidMessage, Reason
from schemas.health import GAIT_FEATURES
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
    """

    name: str
    topic: Topic
    table: str
    columns: tuple[Column, ...]
    natural_key: tuple[str, ...]
    arrival: frozenset[str] = frozenset()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)


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
        *GAIT_FEATURES,
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
        Column("threshold", Kind.FLOAT64, "score from which the alert rings"),
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

ROWS = (
    SESSION_FEATURES,
    FEATURES_BASE,
    FEATURES_HEALTH,
    INFERENCE_REQUEST,
    INFERENCE_RESULT,
    INFERENCE_ALERT,
)


def _finite_or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None


_TO_WIRE: dict[Kind, Callable[[Any], Any]] = {
    Kind.STRING: str,
    Kind.INT32: int,
    Kind.INT64: int,
    Kind.FLOAT64: lambda value: _finite_or_null(float(value)),
    Kind.BOOL: bool,
    Kind.TIMESTAMP_MS: int,
    Kind.STRINGS: lambda values: [str(value) for value in values],
    Kind.FLOATS: lambda values: [_finite_or_null(float(value)) for value in values],
    Kind.BYTES: lambda value: base64.b64encode(value).decode("ascii"),
}


def _float_or_nan(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _exact(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(value)
        return value

    return check


_FROM_WIRE: dict[Kind, Callable[[Any], Any]] = {
    Kind.STRING: _exact(str),
    Kind.INT32: _exact(int),
    Kind.INT64: _exact(int),
    Kind.FLOAT64: _float_or_nan,
    Kind.BOOL: _exact(bool),
    Kind.TIMESTAMP_MS: _exact(int),
    Kind.STRINGS: lambda values: [_exact(str)(value) for value in _exact(list)(values)],
    Kind.FLOATS: lambda values: [_float_or_nan(value) for value in _exact(list)(values)],
    Kind.BYTES: lambda value: base64.b64decode(_exact(str)(value), validate=True),
}


def encode_row(row: Row, values: Mapping[str, Any]) -> bytes:
    """A row as snake_case JSON; a missing float is null.

    Raises:
        KeyError: if a declared column is missing: that is a fault of the caller, not of the input.
    """
    return orjson.dumps({column.name: _wire_value(column, values[column.name]) for column in row.columns})


def _wire_value(column: Column, value: Any) -> Any:
    return None if value is None else _TO_WIRE[column.kind](value)


def decode_row(row: Row, value: bytes) -> RowValues:
    """Reads a row from JSON; null in a float column is NaN. Unknown fields are ignored (a newer writer).

    Raises:
        InvalidMessage: naming the column and its value.
    """
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}: a JSON {type(fields).__name__}, not an object")
    return {column.name: _memory_value(row, column, fields) for column in row.columns}


def _memory_value(row: Row, column: Column, fields: Mapping[str, Any]) -> Any:
    if column.name not in fields:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}.{column.name} is missing")
    value = fields[column.name]
    if value is None and not column.nullable:
        raise InvalidMessage(Reason.MALFORMED_ROW, f"{row.name}.{column.name} is null")
    if value is None and column.kind is not Kind.FLOAT64:
        return None
    try:
        return _FROM_WIRE[column.kind](value)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidMessage(
            Reason.MALFORMED_ROW, f"{row.name}.{column.name}={value!r:.100} is not {column.kind.value}"
        ) from error
