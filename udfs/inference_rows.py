"""Inference: features become requests, requests become results, results at the alert threshold become alerts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
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
        alert: its `inference-alerts` row, if the model rings and the score reaches the threshold.
        error: why there is no result.
    """

    result: RowValues | None
    alert: RowValues | None
    error: InvalidMessage | None


def build_requests(rows: Sequence[RowValues], card: ModelCard) -> list[list[RowValues]]:
    """The `inference-requests` row for each row of features: one, or none for a window of another length.

    A row without features is asked for too: its result then says why there is no score. Rows of windows have a
    `window_s`, rows of whole sessions have none.
    """
    return [[_request(row, card)] if row.get("window_s") == card.window_s else [] for row in rows]


def _request(row: RowValues, card: ModelCard) -> RowValues:
    return {name: row[name] for name in _SHARED} | {
        "request_id": row_id(row, card.name, row["revision"]),
        "model_name": card.name,
        "feature_schema_hash": card.feature_schema_hash,
        "quality": row["quality"],
        "features": [row[name] for name in card.feature_names],
    }


def row_id(row: RowValues, *more: object) -> str:
    """32 hexadecimal digits from a row's session key and more: the same row has the same id for ever."""
    parts = [str(row[name]) for name in SESSION_KEY_NAMES] + [str(part) for part in more]
    return hashlib.blake2b("/".join(parts).encode(), digest_size=16).hexdigest()


def score_by_model(
    requests: Sequence[RowValues], scorers: Mapping[str, Scorer], alert_threshold: float
) -> list[Scored]:
    """Scores a batch of requests for any of these models; one for another model is refused."""
    places: dict[str, list[int]] = {}
    for index, request in enumerate(requests):
        places.setdefault(request["model_name"], []).append(index)
    scored: dict[int, Scored] = {}
    for name, indices in places.items():
        if name in scorers:
            scored.update(
                zip(
                    indices,
                    score_requests([requests[index] for index in indices], scorers[name], alert_threshold),
                    strict=True,
                )
            )
    unknown = ", ".join(scorers)
    return [
        scored.get(index)
        or Scored(
            None, None, InvalidMessage(Reason.UNKNOWN_MODEL, f"model_name={request['model_name']!r}, not of {unknown}")
        )
        for index, request in enumerate(requests)
    ]


def score_requests(requests: Sequence[RowValues], scorer: Scorer, alert_threshold: float) -> list[Scored]:
    """Scores a batch; a request made for other features than the model's is refused, never scored wrongly."""
    errors = [_mismatch(request, scorer.card) for request in requests]
    fit = [index for index, error in enumerate(errors) if error is None]
    width = len(scorer.card.features)
    matrix = np.array([requests[index]["features"] for index in fit], dtype=np.float64).reshape(len(fit), width)
    scores, labels = scorer.labelled(matrix)
    judged = iter(zip(scores.tolist(), labels, scorer.refusals(matrix), strict=True))
    return [
        Scored(None, None, error) if error is not None else _scored(request, scorer.card, next(judged), alert_threshold)
        for request, error in zip(requests, errors, strict=True)
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


def _scored(request: RowValues, card: ModelCard, judged: tuple[float, str, str], alert_threshold: float) -> Scored:
    score, label, refusal = judged
    # The setting is for sessions. Windows come all day long: their card's threshold has a stated rate of false alarms.
    alert_from = alert_threshold if card.window_s is None else card.threshold
    # A row without features says why itself; the scorer only sees that they are missing.
    refused = refusal if request["quality"] == OK else request["quality"]
    result = {name: request[name] for name in _SHARED} | {
        "request_id": request["request_id"],
        "model_name": card.name,
        "model_version": card.version,
        "model_hash": card.onnx_sha256,
        "feature_schema_hash": card.feature_schema_hash,
        "score": score,
        "threshold": alert_from,
        "label": label or NOT_SCORED,
        "reason": refused if math.isnan(score) else OK,
    }
    rings = card.alerts and score >= alert_from
    return Scored(result, _alert(result) if rings else None, None)


def _alert(result: RowValues) -> RowValues:
    return {name: result[name] for name in (*_SHARED, *_RESULT)} | {"alert_id": row_id(result, result["model_name"])}
