"""Every packed model agrees with its card, and every card with the features that the code makes."""

from __future__ import annotations

import numpy as np
import pytest

from models import UnknownModelError, load_card, load_onnx, model_names
from schemas.health import GAIT_FEATURES
from schemas.sensors import Domain
from tests.builders_gait import human_walk
from udfs.gait import extract_gait_features
from udfs.scorer import Scorer

UNITS = {Domain.HEALTH: {column.name: column.unit for column in GAIT_FEATURES}}


@pytest.fixture(params=model_names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_gait_model_is_packed() -> None:
    assert "gait_parkinson_v1" in model_names()


def test_every_model_loads_under_its_card(name: str) -> None:
    card = load_card(name)
    assert card.name == name
    assert Scorer.load(load_onnx(name), card).card == card


def test_every_input_is_a_declared_feature_with_the_same_unit(name: str) -> None:
    card = load_card(name)
    for feature in card.features:
        assert UNITS[card.domain].get(feature.name) == feature.unit


def test_every_card_says_what_the_model_is_not_for_and_how_it_compares(name: str) -> None:
    card = load_card(name)
    if card.domain is Domain.HEALTH:
        assert any("no diagnosis" in line for line in card.limitations)
    assert card.baselines
    for metric in card.metrics.values():
        assert metric.low is not None and metric.high is not None
        assert metric.low <= metric.value <= metric.high


def test_the_gait_model_is_worth_more_than_its_entry_bar_and_its_baselines() -> None:
    card = load_card("gait_parkinson_v1")
    assert card.metrics["subject_auc"].value >= 0.90
    for baseline in ("speed_only_auc", "age_only_auc", "speed_and_age_auc"):
        assert card.metrics["subject_auc"].value > card.baselines[baseline].value + 0.1
    for study in ("Ga", "Ju", "Si"):
        assert card.metrics[f"leave_out_{study}_auc"].value > card.baselines["speed_and_age_auc"].value


def test_the_gait_model_does_not_know_left_from_right() -> None:
    card = load_card("gait_parkinson_v1")
    scorer = Scorer.load(load_onnx(card.name), card)
    index = [[column.name for column in GAIT_FEATURES].index(feature) for feature in card.feature_names]
    force = human_walk(seed=8, duration_s=60.0)
    mirrored = np.hstack([force[:, 8:], force[:, :8]])
    rows = np.array([extract_gait_features(each, sample_rate_hz=100.0).values[index] for each in (force, mirrored)])
    scores = scorer.score(rows)
    assert scores[0] == pytest.approx(scores[1], abs=0.02)
    assert 0.0 < scores[0] < 1.0


@pytest.mark.parametrize("name", ["", "no_such_model", "../models/gait_parkinson_v1"])
def test_a_name_that_is_not_packed_is_refused(name: str) -> None:
    with pytest.raises(UnknownModelError):
        load_card(name)
