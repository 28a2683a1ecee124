"""Requests carry the model's own order of features; results say what was scored, by what, or why not."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from edge.recordings.synthetic_gait import synthesize_gait
from models import load_card, load_onnx
from schemas.columns import Kind
from schemas.errors import Reason
from schemas.health import GAIT_FEATURES
from schemas.row_codec import decode_row, encode_row
from schemas.rows import FEATURES_HEALTH, INFERENCE_ALERT, INFERENCE_REQUEST, INFERENCE_RESULT
from udfs.gait import extract_gait_features
from udfs.inference_rows import NOT_SCORED, build_requests, score_by_model, score_requests
from udfs.scorer import Scorer

CARD = load_card("gait_parkinson_v1")
SCORER = Scorer.load(load_onnx("gait_parkinson_v1"), CARD)


def features_row(**changes: Any) -> dict[str, Any]:
    """The features-health row of a synthetic walker, as a job reads it."""
    walk = synthesize_gait(90.0, seed=3).recording
    result = extract_gait_features(walk.samples, sample_rate_hz=100.0)
    values: dict[str, Any] = {
        "tenant_id": "lab",
        "device_id": "walker-1",
        "session_id": "s-1",
        "sensor_type": "GRF",
        "session_start_ms": 1_760_000_000_000,
        "session_end_ms": 1_760_000_090_000,
        "revision": 90,
        "frames": 90,
        "last_append_ms": 1_760_000_100_000,
        "duration_s": 90.0,
        "sample_rate_hz": 100.0,
        "feature_schema_hash": "0" * 16,
        "quality": result.reason,
        "missing": [],
    } | {
        column.name: value if column.kind is Kind.FLOAT64 else int(value)
        for column, value in zip(GAIT_FEATURES, result.values.tolist(), strict=True)
    }
    return decode_row(FEATURES_HEALTH, encode_row(FEATURES_HEALTH, values | changes))


def requests_for(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests as the next job reads them; a whole session makes exactly one."""
    made = [request for (request,) in build_requests(rows, CARD)]
    return [decode_row(INFERENCE_REQUEST, encode_row(INFERENCE_REQUEST, request)) for request in made]


def test_a_request_has_the_features_in_the_order_of_the_card() -> None:
    row = features_row()
    (request,) = requests_for(row)
    assert request["features"] == pytest.approx([row[name] for name in CARD.feature_names], nan_ok=True)
    assert request["feature_schema_hash"] == CARD.feature_schema_hash


def test_a_request_is_named_by_session_revision_and_model() -> None:
    first, again, later, other = requests_for(
        features_row(), features_row(), features_row(revision=91), features_row(device_id="walker-2")
    )
    assert first["request_id"] == again["request_id"]
    assert len({first["request_id"], later["request_id"], other["request_id"]}) == 3


def test_a_result_says_what_scored_it() -> None:
    (scored,) = score_requests(requests_for(features_row()), SCORER, 0.7)
    assert scored.result is not None
    assert scored.error is None
    assert 0.0 <= scored.result["score"] <= 1.0
    assert scored.result["reason"] == "ok"
    assert scored.result["label"] == CARD.labels[scored.result["score"] >= CARD.threshold]
    assert (scored.result["model_name"], scored.result["model_version"]) == (CARD.name, CARD.version)
    assert scored.result["model_hash"] == CARD.onnx_sha256
    assert scored.result["threshold"] == 0.7
    encode_row(INFERENCE_RESULT, scored.result)


def test_a_score_at_the_threshold_rings_and_one_below_does_not() -> None:
    requests = requests_for(features_row())
    (scored,) = score_requests(requests, SCORER, 0.0)
    assert scored.result is not None
    score = scored.result["score"]
    (at,) = score_requests(requests, SCORER, score)
    (above,) = score_requests(requests, SCORER, float(np.nextafter(score, 2)))
    assert above.alert is None
    assert at.alert is not None
    assert at.alert["score"] == score
    encode_row(INFERENCE_ALERT, at.alert)


def test_only_a_model_that_rings_makes_alerts() -> None:
    quiet = Scorer.load(load_onnx(CARD.name), dataclasses.replace(CARD, alerts=False))
    requests = requests_for(features_row())
    (loud,), (silent,) = score_requests(requests, SCORER, 0.0), score_requests(requests, quiet, 0.0)
    assert loud.alert is not None
    assert silent.alert is None
    assert silent.result == loud.result


def test_only_rows_of_the_model_s_window_length_are_asked_for() -> None:
    session = features_row()
    rows = [session, session | {"window_s": 300}, session | {"window_s": 3_600}]
    of_windows = dataclasses.replace(CARD, window_s=300)
    assert [len(requests) for requests in build_requests(rows, CARD)] == [1, 0, 0]
    assert [len(requests) for requests in build_requests(rows, of_windows)] == [0, 1, 0]
    assert build_requests([], CARD) == []


def test_one_row_is_asked_for_under_another_id_by_each_model() -> None:
    (first,), (second,) = (
        build_requests([features_row()], card)[0] for card in (CARD, dataclasses.replace(CARD, name="other"))
    )
    assert first["request_id"] != second["request_id"]


def test_an_alert_has_one_id_however_often_the_session_is_scored() -> None:
    first, later = score_requests(requests_for(features_row(), features_row(revision=95)), SCORER, 0.0)
    assert first.alert is not None
    assert later.alert is not None
    assert first.alert["alert_id"] == later.alert["alert_id"]
    assert first.alert["request_id"] != later.alert["request_id"]


def test_a_session_without_features_gets_a_result_that_says_why() -> None:
    missing = {column.name: math.nan if column.kind is Kind.FLOAT64 else None for column in GAIT_FEATURES}
    (scored,) = score_requests(requests_for(features_row(quality="no_contact", **missing)), SCORER, 0.0)
    assert scored.result is not None
    assert math.isnan(scored.result["score"])
    assert (scored.result["label"], scored.result["reason"]) == (NOT_SCORED, "no_contact")
    assert scored.alert is None


def test_a_required_feature_that_is_missing_is_named() -> None:
    required = next(feature.name for feature in CARD.features if feature.required)
    (scored,) = score_requests(requests_for(features_row(**{required: math.nan})), SCORER, 0.0)
    assert scored.result is not None
    assert scored.result["reason"] == f"missing_feature:{required}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feature_schema_hash": "f" * 16}, Reason.FEATURE_SCHEMA_MISMATCH),
        ({"features": [1.0]}, Reason.FEATURE_SCHEMA_MISMATCH),
        ({"model_name": "another"}, Reason.UNKNOWN_MODEL),
    ],
)
def test_a_request_for_another_model_is_refused_and_its_neighbours_scored(
    changes: dict[str, Any], reason: Reason
) -> None:
    good = requests_for(features_row())[0]
    before, refused, after = score_requests([good, good | changes, good], SCORER, 0.7)
    assert refused.error is not None
    assert refused.error.reason is reason
    assert refused.result is None
    assert before.result == after.result
    assert before.result is not None


def test_a_batch_of_n_equals_n_batches_of_one_to_the_last_bit() -> None:
    rows = [features_row(stride_time_cv_pct=value) for value in np.linspace(1, 9, 20)]
    requests = requests_for(*rows)
    together = score_requests(requests, SCORER, 0.5)
    alone = [score_requests([request], SCORER, 0.5)[0] for request in requests]
    assert [dataclasses.asdict(one) for one in together] == [dataclasses.asdict(one) for one in alone]


def test_each_request_is_scored_by_its_own_model_in_its_own_place() -> None:
    room = load_card("room_occupancy_v1")
    scorers = {card.name: Scorer.load(load_onnx(card.name), card) for card in (CARD, room)}
    (gait,) = requests_for(features_row())
    values = {"temp_rate_degc_per_h": 0.4, "co2_mean_ppm": 1_100.0, "co2_rate_ppm_per_h": 250.0}
    ((window,),) = build_requests([features_row() | values | {"window_s": 300}], room)
    requests = [window, gait, gait | {"model_name": "another"}, window]
    first, second, unknown, last = score_by_model(requests, scorers, 0.5)
    assert first == last
    assert [first] == score_requests([window], scorers[room.name], 0.5)
    assert [second] == score_requests([gait], SCORER, 0.5)
    assert first.result is not None and first.result["label"] == "occupied"
    assert unknown.error is not None and unknown.error.reason is Reason.UNKNOWN_MODEL
