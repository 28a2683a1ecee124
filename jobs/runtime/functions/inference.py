"""Functions that ask models for scores, and that score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from pyflink.table import FunctionContext, ScalarFunction
from pyflink.table.udf import UserDefinedScalarFunctionWrapper, udf

from jobs.runtime.functions.series import (
    BYTES,
    TRANSFORMED,
    decode_values,
    encode_or_none,
    judged,
    objects,
    row_type,
    texts,
    transform,
)
from models import load_card, load_onnx
from schemas.model_card import ModelCard
from schemas.rows import INFERENCE_ALERT, INFERENCE_REQUEST, INFERENCE_RESULT, Row, RowValues
from udfs.inference_rows import build_requests, score_by_model
from udfs.scorer import Scorer


class RequestInference(ScalarFunction):  # type: ignore[misc]
    """Rows of features to inference-requests rows, for the models of a domain."""

    def __init__(self, source: Row, cards: Sequence[ModelCard]) -> None:
        self._source = source
        self._cards = cards

    def eval(self, values: pd.Series[Any]) -> pd.DataFrame:
        """The requests of each row, one for each model that takes it."""
        return transform(self._source, INFERENCE_REQUEST, values, self._requests)

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
        decoded, errors = decode_values(INFERENCE_REQUEST, values)
        requests = [row for row in decoded if row is not None]
        scored = iter(score_by_model(requests, self._scorers, self._alert_threshold))
        outcomes = [next(scored) if row is not None else None for row in decoded]
        failures = [
            error if outcome is None else outcome.error for error, outcome in zip(errors, outcomes, strict=True)
        ]
        results = [None if outcome is None else outcome.result for outcome in outcomes]
        alerts = [None if outcome is None else outcome.alert for outcome in outcomes]
        return judged(
            texts(failures),
            values,
            result_row=objects([encode_or_none(INFERENCE_RESULT, result) for result in results]),
            alert_row=objects([encode_or_none(INFERENCE_ALERT, alert) for alert in alerts]),
        )


def request_inference(source: Row, cards: Sequence[ModelCard]) -> UserDefinedScalarFunctionWrapper:
    """The function that asks these models for scores of the rows of `source`."""
    return udf(RequestInference(source, cards), result_type=TRANSFORMED, func_type="pandas")


def score(models: Sequence[str], alert_threshold: float) -> UserDefinedScalarFunctionWrapper:
    """The function that scores with these models."""
    return udf(
        ScoreRequests(models, alert_threshold),
        result_type=row_type(result_row=BYTES, alert_row=BYTES),
        func_type="pandas",
    )
