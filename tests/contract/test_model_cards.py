"""Every packed model agrees with its card, and every card with the features that the code makes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from models import UnknownModelError, load_card, load_onnx, model_names
from schemas.environment import ENVIRONMENT_FEATURES
from schemas.feature_schema import feature_schema_hash
from schemas.health import GAIT_FEATURES
from schemas.model_card import CardFeature, ModelCard
from schemas.power import POWER_FEATURES
from schemas.sensors import Domain
from tests.builders_gait import human_walk
from udfs.gait import extract_gait_features
from udfs.scorer import ModelMismatchError, Scorer

DECLARED = {Domain.HEALTH: GAIT_FEATURES, Domain.ENVIRONMENT: ENVIRONMENT_FEATURES, Domain.POWER: POWER_FEATURES}
"""What the code makes in each domain, in order."""


def disagreements(card: ModelCard) -> list[str]:
    """Where a card's inputs are not features of its domain, with their units and in their order."""
    declared = {column.name: (place, column.unit) for place, column in enumerate(DECLARED[card.domain])}
    found = [f"{each.name}: not declared" for each in card.features if each.name not in declared]
    known = [each for each in card.features if each.name in declared]
    found += [f"{each.name}: {each.unit!r}" for each in known if each.unit != declared[each.name][1]]
    found += [
        f"{later.name}: after {earlier.name}"
        for earlier, later in itertools.pairwise(known)
        if declared[earlier.name][0] >= declared[later.name][0]
    ]
    return found


def with_features(card: ModelCard, features: tuple[CardFeature, ...]) -> ModelCard:
    """A card that agrees with itself on other features."""
    return replace(card, features=features, feature_schema_hash=feature_schema_hash(features))


@pytest.fixture(params=model_names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_gait_model_is_packed() -> None:
    assert "gait_parkinson_v1" in model_names()


def test_every_model_loads_under_its_card(name: str) -> None:
    card = load_card(name)
    assert card.name == name
    assert Scorer.load(load_onnx(name), card).card == card


def test_every_input_is_a_declared_feature_with_its_unit_in_order(name: str) -> None:
    assert disagreements(load_card(name)) == []


def test_another_name_unit_or_order_of_an_input_is_noticed(name: str) -> None:
    card = load_card(name)
    first, second, *rest = card.features
    for wrong in (
        (replace(first, name=f"{first.name}_of_old"), second, *rest),
        (replace(first, unit="furlong"), second, *rest),
        (second, first, *rest),
    ):
        assert len(disagreements(with_features(card, wrong))) == 1


def test_a_model_is_not_loaded_under_another_width_or_number_of_labels_or_file(name: str) -> None:
    card, onnx_bytes = load_card(name), load_onnx(name)
    narrower = with_features(card, card.features[:-1])
    for wrong in (narrower, replace(card, labels=(*card.labels, "one more")), replace(card, onnx_sha256="0" * 64)):
        with pytest.raises(ModelMismatchError):
            Scorer.load(onnx_bytes, wrong)


def test_a_card_tells_what_its_model_takes(name: str) -> None:
    """Whole sessions of gait; windows of the domains that have no sessions of their own."""
    card = load_card(name)
    assert (card.window_s is None) == (card.domain is Domain.HEALTH)


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


def test_the_occupancy_model_is_worth_more_than_co2_alone_and_tells_what_would_be_easier() -> None:
    card = load_card("room_occupancy_v1")
    for mine, baseline in (("test", "co2_level_only"), ("other_room", "other_room_co2_level_only")):
        for measure in ("auc", "accuracy", "balanced_accuracy"):
            assert card.metrics[f"{mine}_{measure}"].value > card.baselines[f"{baseline}_{measure}"].value
        assert card.metrics[f"{mine}_accuracy"].value > 0.5
    assert card.baselines["light_only_auc"].value > card.metrics["test_auc"].value
    assert {"time_of_day_only_auc", "with_light_auc", "larger_class_accuracy"} <= card.baselines.keys()
    assert not any("light" in name or "hour" in name for name in card.feature_names)
    assert not card.alerts


def test_an_occupied_room_scores_above_an_empty_one_with_or_without_a_thermometer() -> None:
    card = load_card("room_occupancy_v1")
    scorer = Scorer.load(load_onnx(card.name), card)
    used = {"co2_mean_ppm": 1_100.0, "co2_rate_ppm_per_h": 250.0, "temp_rate_degc_per_h": 0.4}
    left = {"co2_mean_ppm": 500.0, "co2_rate_ppm_per_h": -60.0, "temp_rate_degc_per_h": -0.3}
    unknown = {"temp_rate_degc_per_h": np.nan}
    rows = [[room[name] for name in card.feature_names] for room in (used, left, used | unknown, left | unknown)]
    assert scorer.labelled(np.array(rows))[1] == ["occupied", "empty", "occupied", "empty"]


@pytest.mark.parametrize("name", ["", "no_such_model", "../models/gait_parkinson_v1"])
def test_a_name_that_is_not_packed_is_refused(name: str) -> None:
    with pytest.raises(UnknownModelError):
        load_card(name)
