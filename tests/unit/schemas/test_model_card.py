"""Model cards and feature fingerprints: strict reading, errors that name the field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.columns import Column, Kind
from schemas.feature_schema import feature_schema_hash
from schemas.health import GAIT_FEATURES
from schemas.model_card import CardFeature, ModelCard, ModelCardError


def document() -> dict[str, Any]:
    features = [{"name": "cadence", "unit": "1/min", "required": True}, {"name": "pci", "unit": "%", "required": False}]
    return {
        "name": "toy",
        "version": "1",
        "domain": "health",
        "window_s": None,
        "features": features,
        "feature_schema_hash": feature_schema_hash([CardFeature(**each) for each in features]),
        "onnx_sha256": "0" * 64,
        "threshold": 0.5,
        "labels": ["no", "yes"],
        "alerts": True,
        "score_meaning": "likeness",
        "missing_values": "refused",
        "training_data": "made up",
        "subjects": {"all": 3},
        "records": {"all": 4},
        "split_protocol": "none",
        "metrics": {"auc": {"value": 0.9, "low": 0.8, "high": 1.0, "how": "guessed"}},
        "limitations": ["no diagnosis"],
        "baselines": {},
        "libraries": {"numpy": "2"},
    }


def test_a_card_survives_the_way_to_json_and_back() -> None:
    card = ModelCard.from_json(json.dumps(document()))
    assert ModelCard.from_json(card.to_json()) == card
    assert json.loads(card.to_json()) == document()
    assert card.feature_names == ("cadence", "pci")


def test_a_card_without_window_and_alerts_is_of_sessions_and_rings() -> None:
    older = {name: value for name, value in document().items() if name not in ("window_s", "alerts")}
    assert ModelCard.from_json(json.dumps(older)) == ModelCard.from_json(json.dumps(document()))


def test_a_card_may_have_more_labels_and_a_window() -> None:
    card = ModelCard.from_json(json.dumps(document() | {"labels": ["a", "b", "c"], "window_s": 300, "alerts": False}))
    assert (card.labels, card.window_s, card.alerts) == (("a", "b", "c"), 300, False)
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("domain", "finance"),
        ("threshold", 1.5),
        ("threshold", "0.5"),
        ("labels", ["only one"]),
        ("labels", ["same", "same"]),
        ("labels", ["kettle", "fridge", "unsure"]),
        ("window_s", 0),
        ("window_s", 300.0),
        ("alerts", "yes"),
        ("onnx_sha256", "abc"),
        ("features", []),
        ("features", [{"name": "cadence", "unit": "1/min"}]),
        ("metrics", {"auc": {"value": "high"}}),
        ("limitations", []),
        ("feature_schema_hash", "0" * 16),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(ModelCardError, match=field):
        ModelCard.from_json(json.dumps(document() | {field: value}))


@pytest.mark.parametrize("field", ["features", "threshold", "onnx_sha256", "limitations"])
def test_a_missing_field_is_named(field: str) -> None:
    left = {name: value for name, value in document().items() if name != field}
    with pytest.raises(ModelCardError, match=field):
        ModelCard.from_json(json.dumps(left))


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ModelCardError, match="secret"):
        ModelCard.from_json(json.dumps(document() | {"secret": 1}))


def test_text_that_is_no_json_is_a_card_error() -> None:
    with pytest.raises(ModelCardError):
        ModelCard.from_json("{")


def test_a_feature_named_twice_is_refused() -> None:
    twice = document()
    twice["features"] = [twice["features"][0], twice["features"][0]]
    with pytest.raises(ModelCardError, match="cadence"):
        ModelCard.from_json(json.dumps(twice))


def test_the_fingerprint_knows_names_units_and_order_but_not_wording() -> None:
    speed, sway = Column("speed", Kind.FLOAT64, "how fast", "m/s"), Column("sway", Kind.FLOAT64, "how far", "mm")
    base = feature_schema_hash([speed, sway])
    assert feature_schema_hash([Column("speed", Kind.INT32, "other words", "m/s"), sway]) == base
    assert feature_schema_hash([sway, speed]) != base
    assert feature_schema_hash([Column("speed", Kind.FLOAT64, "", "km/h"), sway]) != base
    assert feature_schema_hash([Column("pace", Kind.FLOAT64, "", "m/s"), sway]) != base


def test_every_gait_feature_is_nullable_has_a_doc_and_names_its_unit() -> None:
    suffix = {"s": "_s", "%": "_pct", "BW": "_bw", "BW/s": "_bw_per_s", "BW s": "_bw_s", "N": "_newton"}
    suffix |= {"au": "_au", "au2": "_au2", "au/s": "_au_per_s", "1/min": "_per_min"}
    for column in GAIT_FEATURES:
        assert column.nullable and column.doc and column.unit
        assert column.name.endswith(suffix.get(column.unit, ""))
    assert len({column.name for column in GAIT_FEATURES}) == len(GAIT_FEATURES)
