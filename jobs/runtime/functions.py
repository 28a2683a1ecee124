"""The vectorised functions that the jobs call: Series in, Series or DataFrame out, one call for a whole batch.

Each wraps a pure function of `udfs/`; nothing is computed here. Workers import this module, they never unpickle it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from pyflink.table import DataTypes, FunctionContext, ScalarFunction
from pyflink.table.udf import UserDefinedScalarFunctionWrapper, udf

from jobs.runtime.timestamps import milliseconds
from models import load_card, load_onnx
from schemas.envelope import RecordKey
from schemas.errors import InvalidMessage
from schemas.model_card import ModelCard
from schemas.rows import (
    FEATURES_BASE,
    FEATURES_HEALTH,
    INFERENCE_ALERT,
    INFERENCE_REQUEST,
    INFERENCE_RESULT,
    SESSION_FEATURES,
    Row,
    RowValues,
    decode_row,
    encode_row,
)
from udfs.base_rows import derive_base_features
from udfs.frames import validate_frames
from udfs.gathering import gather_summaries
from udfs.health_rows import RecordGroup, extract_health_features
from udfs.inference_rows import build_requests, score_requests
from udfs.scorer import Scorer
from udfs.sessions import FrameGroup, summarize_sessions

_BYTES, _STRING = DataTypes.BYTES(), DataTypes.STRING()
_ROWS = DataTypes.ARRAY(_BYTES)


def _row_type(**fields: Any) -> Any:
    judged = {"reason": _STRING, "detail": _STRING} | fields
    return DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in judged.items()])


def _objects(values: Sequence[Any]) -> pd.Series[Any]:
    # Without the dtype pandas would turn a column of None into floats, and Arrow refuse it.
    return pd.Series(values, dtype=object)


def _encode(row: Row, groups: Sequence[Sequence[RowValues]]) -> pd.Series[Any]:
    return _objects([[encode_row(row, values) for values in group] for group in groups])


def _find_buckets(
    keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
) -> pd.Series[Any]:
    verdicts = validate_frames(keys.tolist(), values.tolist(), sensor_ms.tolist(), milliseconds(append_time))
    buckets = zip(verdicts.bucket_ms.tolist(), verdicts.reason, strict=True)
    return _objects([bucket if reason is None else None for bucket, reason in buckets])


def _summarize(keys: pd.Series[Any], bucket_ms: pd.Series[Any], summaries: pd.Series[Any]) -> pd.Series[Any]:
    groups = [
        FrameGroup(RecordKey.from_bytes(key), int(bucket), packed.tolist())
        for key, bucket, packed in zip(keys, bucket_ms, summaries, strict=True)
    ]
    return _encode(SESSION_FEATURES, summarize_sessions(groups))


def _extract_health(keys: pd.Series[Any], last_append: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
    groups = [
        RecordGroup(RecordKey.from_bytes(key), appended, packed.tolist())
        for key, appended, packed in zip(keys, milliseconds(last_append).tolist(), values, strict=True)
    ]
    return _encode(FEATURES_HEALTH, extract_health_features(groups))


def _derive_base(values: pd.Series[Any]) -> pd.DataFrame:
    return _transform(SESSION_FEATURES, FEATURES_BASE, values, derive_base_features)


def _transform(
    source: Row, target: Row, values: pd.Series[Any], make: Callable[[Sequence[RowValues]], list[list[RowValues]]]
) -> pd.DataFrame:
    """Rows of `source` to rows of `target`; what is no row of `source` gets a reason instead."""
    decoded, errors = _decode(source, values)
    made = iter(make([row for row in decoded if row is not None]))
    rows = [next(made) if row is not None else [] for row in decoded]
    return pd.DataFrame(_reasons(errors) | {"output_rows": _encode(target, rows)})


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


def _reasons(errors: Sequence[InvalidMessage | None]) -> dict[str, pd.Series[Any]]:
    return {
        "reason": _objects([error and error.reason.value for error in errors]),
        "detail": _objects([error and error.detail for error in errors]),
    }


class Validate(ScalarFunction):  # type: ignore[misc]
    """rawframes records to verdicts, with the summaries that the session window gathers."""

    def __init__(self, idle_ms: int) -> None:
        self._idle_ms = idle_ms

    def eval(
        self, keys: pd.Series[Any], values: pd.Series[Any], sensor_ms: pd.Series[Any], append_time: pd.Series[Any]
    ) -> pd.DataFrame:
        """A reason, or a bucket and for some records summaries, for each record."""
        record_keys, append_ms = keys.tolist(), milliseconds(append_time)
        verdicts = validate_frames(record_keys, values.tolist(), sensor_ms.tolist(), append_ms)
        gathered = gather_summaries(record_keys, verdicts.bucket_ms, append_ms, verdicts.summary, idle_ms=self._idle_ms)
        return pd.DataFrame(
            {
                "reason": _objects(verdicts.reason),
                "detail": _objects(verdicts.detail),
                "bucket_ms": verdicts.bucket_ms,
                "summaries": _objects(gathered),
            }
        )


class RequestInference(ScalarFunction):  # type: ignore[misc]
    """features-health rows to inference-requests rows, for one model."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card

    def eval(self, values: pd.Series[Any]) -> pd.DataFrame:
        """One request for each row."""
        return _transform(
            FEATURES_HEALTH,
            INFERENCE_REQUEST,
            values,
            lambda rows: [[request] for request in build_requests(rows, self._card)],
        )


class ScoreRequests(ScalarFunction):  # type: ignore[misc]
    """inference-requests rows to inference-results and inference-alerts rows."""

    def __init__(self, model: str, alert_threshold: float) -> None:
        self._model = model
        self._alert_threshold = alert_threshold

    def open(self, function_context: FunctionContext) -> None:
        """Loads the model once in each worker: an ONNX session can't be pickled."""
        del function_context
        self._scorer = Scorer.load(load_onnx(self._model), load_card(self._model))

    def eval(self, values: pd.Series[Any]) -> pd.DataFrame:
        """A result, an alert or none, or a reason for each request."""
        decoded, errors = _decode(INFERENCE_REQUEST, values)
        scored = iter(score_requests([row for row in decoded if row is not None], self._scorer, self._alert_threshold))
        outcomes = [next(scored) if row is not None else None for row in decoded]
        failures = [
            error if outcome is None else outcome.error for error, outcome in zip(errors, outcomes, strict=True)
        ]
        results = [None if outcome is None else outcome.result for outcome in outcomes]
        alerts = [None if outcome is None else outcome.alert for outcome in outcomes]
        return pd.DataFrame(
            _reasons(failures)
            | {
                "result_row": _objects([_encoded(INFERENCE_RESULT, values) for values in results]),
                "alert_row": _objects([_encoded(INFERENCE_ALERT, values) for values in alerts]),
            }
        )


def _encoded(row: Row, values: RowValues | None) -> bytes | None:
    return None if values is None else encode_row(row, values)


_TRANSFORMED = _row_type(output_rows=_ROWS)

find_buckets = udf(_find_buckets, result_type=DataTypes.BIGINT(), func_type="pandas")
summarize = udf(_summarize, result_type=_ROWS, func_type="pandas")
extract_health = udf(_extract_health, result_type=_ROWS, func_type="pandas")
derive_base = udf(_derive_base, result_type=_TRANSFORMED, func_type="pandas")


def validate(session_idle_ms: int) -> UserDefinedScalarFunctionWrapper:
    """The function that validates frames, for session windows with this idle pause."""
    return udf(
        Validate(session_idle_ms),
        result_type=_row_type(bucket_ms=DataTypes.BIGINT(), summaries=_BYTES),
        func_type="pandas",
    )


def request_inference(card: ModelCard) -> UserDefinedScalarFunctionWrapper:
    """The function that asks for a score by this model."""
    return udf(RequestInference(card), result_type=_TRANSFORMED, func_type="pandas")


def score(model: str, alert_threshold: float) -> UserDefinedScalarFunctionWrapper:
    """The function that scores with this model."""
    return udf(
        ScoreRequests(model, alert_threshold),
        result_type=_row_type(result_row=_BYTES, alert_row=_BYTES),
        func_type="pandas",
    )
