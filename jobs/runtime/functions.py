"""The vectorised functions that the jobs call: Series in, Series or DataFrame out, one call for a whole batch.

Each wraps a pure function of `udfs/`; nothing is computed here. Workers import this module, they never unpickle it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
from pyflink.table import DataTypes, FunctionContext, ScalarFunction
from pyflink.table.udf import UserDefinedScalarFunctionWrapper, udf

from jobs.runtime.scan_store import open_scan_store
from jobs.runtime.timestamps import milliseconds
from models import load_card, load_onnx
from schemas.envelope import RecordKey
from schemas.environment import EnvironmentSettings
from schemas.errors import InvalidMessage
from schemas.model_card import ModelCard
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.row_codec import decode_row, encode_row
from schemas.rows import (
    FEATURES_BALANCE,
    FEATURES_BASE,
    FEATURES_ENV,
    FEATURES_HEALTH,
    FEATURES_PLANTAR,
    FEATURES_POWER,
    FEATURES_SCANNER,
    INFERENCE_ALERT,
    INFERENCE_REQUEST,
    INFERENCE_RESULT,
    SESSION_FEATURES,
    Row,
    RowValues,
)
from udfs.balance_rows import extract_balance_features
from udfs.base_rows import derive_base_features
from udfs.environment_rows import extract_environment_features
from udfs.frames import validate_frames
from udfs.gathering import gather_summaries
from udfs.health_rows import extract_health_features
from udfs.inference_rows import build_requests, score_by_model
from udfs.plantar_rows import extract_plantar_features
from udfs.power_rows import extract_power_features
from udfs.scanner_rows import extract_scanner_features
from udfs.scorer import Scorer
from udfs.session_rows import RecordGroup
from udfs.sessions import FrameGroup, summarize_sessions
from udfs.windows import WindowGroup

_BYTES, _STRING = DataTypes.BYTES(), DataTypes.STRING()
_ROWS = DataTypes.ARRAY(_BYTES)


def _row_type(**fields: Any) -> Any:
    judged = {"refusal": _STRING, "refused_value": _BYTES} | fields
    return DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in judged.items()])


def _objects(values: Sequence[Any]) -> pd.Series[Any]:
    # Without the dtype pandas would turn a column of None into floats, and Arrow refuse it.
    return pd.Series(values, dtype=object)


def _encode(row: Row, groups: Sequence[Sequence[RowValues]]) -> pd.Series[Any]:
    return _objects([[encode_row(row, values) for values in group] for group in groups])


def _find_buckets(
    keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
) -> pd.Series[Any]:
    verdicts = validate_frames(
        keys.tolist(), values.tolist(), sensor_ms.tolist(), milliseconds(append_time), summarise=False
    )
    buckets = zip(verdicts.bucket_ms.tolist(), verdicts.reason, strict=True)
    return _objects([bucket if reason is None else None for bucket, reason in buckets])


def _summarize(keys: pd.Series[Any], bucket_ms: pd.Series[Any], summaries: pd.Series[Any]) -> pd.Series[Any]:
    groups = [
        FrameGroup(RecordKey.from_bytes(key), int(bucket), packed.tolist())
        for key, bucket, packed in zip(keys, bucket_ms, summaries, strict=True)
    ]
    return _encode(SESSION_FEATURES, summarize_sessions(groups))


def _derive_base(values: pd.Series[Any]) -> pd.DataFrame:
    return _transform(SESSION_FEATURES, FEATURES_BASE, values, derive_base_features)


def _transform(
    source: Row, target: Row, values: pd.Series[Any], make: Callable[[Sequence[RowValues]], list[list[RowValues]]]
) -> pd.DataFrame:
    """Rows of `source` to rows of `target`; what is no row of `source` gets a refusal instead."""
    decoded, errors = _decode(source, values)
    made = iter(make([row for row in decoded if row is not None]))
    rows = [next(made) if row is not None else [] for row in decoded]
    return _judged(_texts(errors), values, output_rows=_encode(target, rows))


def _decode(row: Row, values: pd.Series[Any]) -> tuple[list[RowValues | None], list[InvalidMessage | None]]:
    decoded: list[RowValues | None] = []
    errors: list[InvalidMessage | None] = []
    for value in values:
        try:
            decoded.append(decode_row(row, value or b""))
            errors.append(None)
        except InvalidMessage as error:
            decoded.append(None)
            errors.append(error)
    return decoded, errors


def _judged(refusals: Sequence[str | None], values: pd.Series[Any], **columns: Any) -> pd.DataFrame:
    """Verdicts on records: why each is refused, and the value of a refused one.

    Good values are not needed after this, and Flink copies what is carried past a function.
    """
    refused: list[bytes | None] = [None] * len(values)
    if any(refusals):
        refused = [value if refusal else None for value, refusal in zip(values, refusals, strict=True)]
    return pd.DataFrame({"refusal": _objects(refusals), "refused_value": _objects(refused)} | columns)


def _texts(errors: Sequence[InvalidMessage | None]) -> list[str | None]:
    return [None if error is None else str(error) for error in errors]


class Validate(ScalarFunction):  # type: ignore[misc]
    """rawframes records to verdicts, with the summaries that the session window gathers."""

    def __init__(self, idle_ms: int) -> None:
        self._idle_ms = idle_ms

    def eval(
        self, keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
    ) -> pd.DataFrame:
        """A refusal, or a bucket and for some records summaries, for each record."""
        record_keys, append_ms = keys.tolist(), milliseconds(append_time)
        verdicts = validate_frames(record_keys, values.tolist(), sensor_ms.tolist(), append_ms)
        gathered = gather_summaries(record_keys, verdicts.bucket_ms, append_ms, verdicts.summary, idle_ms=self._idle_ms)
        return _judged(verdicts.refusals(), values, bucket_ms=verdicts.bucket_ms, summaries=_objects(gathered))


class DescribeSessions(ScalarFunction):  # type: ignore[misc]
    """Gathered frames of a sensor to the feature rows of their sessions."""

    def __init__(self, row: Row, extract: Callable[[Sequence[RecordGroup]], list[list[RowValues]]]) -> None:
        self._row = row
        self._extract = extract

    def eval(self, keys: pd.Series[Any], last_append: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
        """The rows of each group."""
        groups = [
            RecordGroup(RecordKey.from_bytes(key), appended, packed.tolist())
            for key, appended, packed in zip(keys, milliseconds(last_append).tolist(), values, strict=True)
        ]
        return _encode(self._row, self._extract(groups))


class DescribeScans(DescribeSessions):
    """Gathered scans to the feature rows of their sessions; meshes that travel by reference are fetched."""

    def __init__(self, scan_store: str) -> None:
        super().__init__(FEATURES_SCANNER, self._describe)
        self._scan_store = scan_store

    def open(self, function_context: FunctionContext) -> None:
        """Opens the store once in each worker."""
        del function_context
        self._fetch = open_scan_store(self._scan_store)

    def _describe(self, groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
        return extract_scanner_features(groups, self._fetch)


class DescribeWindows(ScalarFunction):  # type: ignore[misc]
    """Gathered frames to the feature rows of their windows."""

    def __init__(self, row: Row, extract: Callable[[Sequence[WindowGroup]], list[RowValues | None]]) -> None:
        self._row = row
        self._extract = extract

    def eval(
        self,
        keys: pd.Series[Any],
        window_ms: pd.Series[Any],
        window_s: pd.Series[Any],
        last_append: pd.Series[Any],
        values: pd.Series[Any],
    ) -> pd.Series[Any]:
        """One row for each window, none for one without a frame."""
        columns = (keys, window_ms, window_s, milliseconds(last_append), values)
        groups = [
            WindowGroup(RecordKey.from_bytes(key), int(start), int(length), int(appended), packed.tolist())
            for key, start, length, appended, packed in zip(*columns, strict=True)
        ]
        return _objects([_encoded(self._row, row) for row in self._extract(groups)])


class RequestInference(ScalarFunction):  # type: ignore[misc]
    """Rows of features to inference-requests rows, for the models of a domain."""

    def __init__(self, source: Row, cards: Sequence[ModelCard]) -> None:
        self._source = source
        self._cards = cards

    def eval(self, values: pd.Series[Any]) -> pd.DataFrame:
        """The requests of each row, one for each model that takes it."""
        return _transform(self._source, INFERENCE_REQUEST, values, self._requests)

    def _requests(self, rows: Sequence[RowValues]) -> list[list[RowValues]]:
        by_card = [build_requests(rows, card) for card in self._cards]
        return [[request for found in by_card for request in found[index]] for index in range(len(rows))]


class ScoreRequests(ScalarFunction):  # type: ignore[misc]
    """inference-requests rows to inference-results and inference-alerts rows."""

    def __init__(self, models: Sequence[str], alert_threshold: float) -> None:
        self._models = models
        self._alert_threshold = alert_threshold

    def open(self, function_context: FunctionContext) -> None:
        """Loads the models once in each worker: an ONNX session can't be pickled."""
        del function_context
        self._scorers = {name: Scorer.load(load_onnx(name), load_card(name)) for name in self._models}

    def eval(self, values: pd.Series[Any]) -> pd.DataFrame:
        """A result, an alert or none, or a refusal for each request."""
        decoded, errors = _decode(INFERENCE_REQUEST, values)
        requests = [row for row in decoded if row is not None]
        scored = iter(score_by_model(requests, self._scorers, self._alert_threshold))
        outcomes = [next(scored) if row is not None else None for row in decoded]
        failures = [
            error if outcome is None else outcome.error for error, outcome in zip(errors, outcomes, strict=True)
        ]
        results = [None if outcome is None else outcome.result for outcome in outcomes]
        alerts = [None if outcome is None else outcome.alert for outcome in outcomes]
        return _judged(
            _texts(failures),
            values,
            result_row=_objects([_encoded(INFERENCE_RESULT, result) for result in results]),
            alert_row=_objects([_encoded(INFERENCE_ALERT, alert) for alert in alerts]),
        )


def _encoded(row: Row, values: RowValues | None) -> bytes | None:
    return None if values is None else encode_row(row, values)


_TRANSFORMED = _row_type(output_rows=_ROWS)

find_buckets = udf(_find_buckets, result_type=DataTypes.BIGINT(), func_type="pandas")
summarize = udf(_summarize, result_type=_ROWS, func_type="pandas")
derive_base = udf(_derive_base, result_type=_TRANSFORMED, func_type="pandas")


def validate(session_idle_ms: int) -> UserDefinedScalarFunctionWrapper:
    """The function that validates frames, for session windows with this idle pause."""
    return udf(
        Validate(session_idle_ms),
        result_type=_row_type(bucket_ms=DataTypes.BIGINT(), summaries=_BYTES),
        func_type="pandas",
    )


def describe_gait() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of ground reaction force."""
    return udf(DescribeSessions(FEATURES_HEALTH, extract_health_features), result_type=_ROWS, func_type="pandas")


def describe_balance() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions on a force plate."""
    return udf(DescribeSessions(FEATURES_BALANCE, extract_balance_features), result_type=_ROWS, func_type="pandas")


def describe_plantar() -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of pressure devices."""
    return udf(DescribeSessions(FEATURES_PLANTAR, extract_plantar_features), result_type=_ROWS, func_type="pandas")


def describe_scans(scan_store: str) -> UserDefinedScalarFunctionWrapper:
    """The function that describes sessions of foot scans, whose large meshes lie in this store."""
    return udf(DescribeScans(scan_store), result_type=_ROWS, func_type="pandas")


def describe_power(supplies: PerDevice[Supply]) -> UserDefinedScalarFunctionWrapper:
    """The function that describes windows of power sensors."""
    return _windows_function(FEATURES_POWER, partial(extract_power_features, supplies=supplies))


def describe_environment(places: PerDevice[EnvironmentSettings]) -> UserDefinedScalarFunctionWrapper:
    """The function that describes windows of climate and air sensors."""
    return _windows_function(FEATURES_ENV, partial(extract_environment_features, places=places))


def _windows_function(
    row: Row, extract: Callable[[Sequence[WindowGroup]], list[RowValues | None]]
) -> UserDefinedScalarFunctionWrapper:
    return udf(DescribeWindows(row, extract), result_type=_BYTES, func_type="pandas")


def request_inference(source: Row, cards: Sequence[ModelCard]) -> UserDefinedScalarFunctionWrapper:
    """The function that asks these models for scores of the rows of `source`."""
    return udf(RequestInference(source, cards), result_type=_TRANSFORMED, func_type="pandas")


def score(models: Sequence[str], alert_threshold: float) -> UserDefinedScalarFunctionWrapper:
    """The function that scores with these models."""
    return udf(
        ScoreRequests(models, alert_threshold),
        result_type=_row_type(result_row=_BYTES, alert_row=_BYTES),
        func_type="pandas",
    )
