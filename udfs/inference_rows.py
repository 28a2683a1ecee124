"""Inference: features become requests, requests become results, results above the threshold become alerts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import InvalidMessage, Reason
from schemas.model_card import ModelCard
from schemas.rows import SESSION_EXTENT, SESSION_KEY, SESSION_KEY_NAMES, RowValues
from udfs.scorer import Scorer

OK = "ok"
NOT_SCORED = "not_scored"
_SHARED = tuple(column.name for column in (*SESSION_KEY, *SESSION_EXTENT))
_RESULT = ("request_id", "model_name", "model_version", "model_hash", "score", "threshold", "label")


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one request.

    Attributes:
        result: its `inference-results` row; None for a request that the model does not fit.
        alert: its `inference-alerts` row, if the score reaches the threshold.
        error: why there is no result.
    """

    result: RowValues | None
    alert: RowValues | None
    error: InvalidMessage | None


def build_requests(features: Sequence[RowValues], card: ModelCard) -> list[RowValues]:
    """The `inference-requests` row of each `features-health` row.

    A session without features is asked for too: its result then says why there is no score.
    """
    return [
        {name: row[name] for name in _SHARED}
        | {
            "request_id": row_id(row, card.name, row["revision"]),
            "model_name": card.name,
            "feature_schema_hash": card.feature_schema_hash,
            "quality": row["quality"],
            "features": [row[name] for name in card.feature_names],
        }
        for row in features
    ]


def row_id(row: RowValues, *more: object) -> str:
    """32 hexadecimal digits from a row's session key and more: the same row has the same id for ever."""
    parts = [str(row[name]) for name in SESSION_KEY_NAMES] + [str(part) for part in more]
    return hashlib.blake2b("/".join(parts).encode(), digest_size=16).hexdigest()


def score_requests(requests: Sequence[RowValues], scorer: Scorer, alert_threshold: float) -> list[Scored]:
    """Scores a batch; a request made for other features than the model's is refused, never scored wrongly."""
    errors = [_mismatch(request, scorer.card) for request in requests]
    fit = [index for index, error in enumerate(errors) if error is None]
    width = len(scorer.card.features)
    matrix = np.array([requests[index]["features"] for index in fit], dtype=np.float64).reshape(len(fit), width)
    scores = dict(zip(fit, zip(scorer.score(matrix).tolist(), scorer.refusals(matrix), strict=True), strict=True))
    return [
        Scored(None, None, error)
        if error is not None
        else _scored(request, scorer.card, scores[index], alert_threshold)
        for index, (request, error) in enumerate(zip(requests, errors, strict=True))
    ]


def _mismatch(request: RowValues, card: ModelCard) -> InvalidMessage | None:
    if request["model_name"] != card.name:
        return InvalidMessage(Reason.UNKNOWN_MODEL, f"model_name={request['model_name']!r}, this job has {card.name}")
    said, known = request["feature_schema_hash"], card.feature_schema_hash
    if said != known or len(request["features"]) != len(card.features):
        return InvalidMessage(
            Reason.FEATURE_SCHEMA_MISMATCH,
            f"feature_schema_hash={said} with {len(request['features'])} features, "
            f"{card.name} {card.version} has {known} with {len(card.features)}",
        )
    return None


def _scored(request: RowValues, card: ModelCard, scored: tuple[float, str], alert_threshold: float) -> Scored:
    score, refusal = scored
    # A session without features says why itself; the scorer only sees that they are missing.
    refused = refusal if request["quality"] == OK else request["quality"]
    result = {name: request[name] for name in _SHARED} | {
        "request_id": request["request_id"],
        "model_name": card.name,
        "model_version": card.version,
        "model_hash": card.onnx_sha256,
        "feature_schema_hash": card.feature_schema_hash,
        "score": score,
        "threshold": alert_threshold,
        "label": card.label(score) or NOT_SCORED,
        "reason": refused if math.isnan(score) else OK,
    }
    return Scored(result, _alert(result) if score >= alert_threshold else None, None)


def _alert(result: RowValues) -> RowValues:
    return {name: result[name] for name in (*_SHARED, *_RESULT)} | {"alert_id": row_id(result, result["model_name"])}
