"""The scorer: what a model may be fed, and that no score depends on its neighbours."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from schemas.errors import InvalidMessage, Reason
from schemas.feature_schema import feature_schema_hash
from schemas.model_card import UNSURE, CardFeature, Metric, ModelCard
from schemas.sensors import Domain
from training.export import to_onnx
from training.tuning import build_model
from udfs.scorer import ModelMismatchError, Scorer

FEATURES = (CardFeature("speed", "m/s", True), CardFeature("sway", "mm", True), CardFeature("pci", "%", False))


def card_for(onnx_bytes: bytes, features: tuple[CardFeature, ...] = FEATURES) -> ModelCard:
    return ModelCard(
        name="toy",
        version="1",
        domain=Domain.HEALTH,
        features=features,
        feature_schema_hash=feature_schema_hash(features),
        onnx_sha256=hashlib.sha256(onnx_bytes).hexdigest(),
        threshold=0.5,
        labels=("no", "yes"),
        score_meaning="likeness",
        missing_values="refused",
        training_data="made up",
        subjects={"all": 60},
        records={"all": 60},
        split_protocol="none",
        metrics={"auc": Metric(0.5)},
        limitations=("no diagnosis",),
    )


@pytest.fixture(scope="module")
def trained() -> tuple[Pipeline, np.ndarray]:
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((60, 3)).astype(np.float32)
    rows[::7, 2] = np.nan
    model = build_model(0.1)
    model.fit(rows, (rows[:, 0] - rows[:, 1] > 0).astype(np.int64))
    return model, rows


@pytest.fixture(scope="module")
def onnx_bytes(trained: tuple[Pipeline, np.ndarray]) -> bytes:
    return to_onnx(trained[0], name="toy", feature_count=3)


@pytest.fixture(scope="module")
def scorer(onnx_bytes: bytes) -> Scorer:
    return Scorer.load(onnx_bytes, card_for(onnx_bytes))


def test_scores_are_those_of_the_trained_model(scorer: Scorer, trained: tuple[Pipeline, np.ndarray]) -> None:
    model, rows = trained
    scores = scorer.score(rows.astype(np.float64))
    np.testing.assert_allclose(scores, model.predict_proba(rows)[:, 1], atol=1e-5)
    assert np.ptp(scores) > 0.5


def test_a_batch_scores_like_its_rows_to_the_last_bit(scorer: Scorer) -> None:
    rows = np.random.default_rng(1).standard_normal((40, 3))
    singles = np.concatenate([scorer.score(rows[index : index + 1]) for index in range(40)])
    assert scorer.score(rows).tobytes() == singles.tobytes()
    assert scorer.score(rows[::-1]).tobytes() == singles[::-1].tobytes()


def test_a_row_without_a_required_feature_is_refused_and_its_neighbours_are_scored(scorer: Scorer) -> None:
    rows = np.array([[0.1, 0.2, 0.3], [0.1, np.nan, 0.3], [np.inf, 0.2, 0.3], [0.1, 0.2, np.nan], [0.1, 0.2, -np.inf]])
    scores = scorer.score(rows)
    assert np.isnan(scores).tolist() == [False, True, True, False, True]
    assert scorer.refusals(rows) == ["", "missing_feature:sway", "missing_feature:speed", "", "missing_feature:pci"]


def test_a_missing_optional_feature_counts_as_the_training_median(
    scorer: Scorer, trained: tuple[Pipeline, np.ndarray]
) -> None:
    median = float(np.nanmedian(trained[1][:, 2]))
    assert scorer.score(np.array([[0.4, 0.2, np.nan]])) == scorer.score(np.array([[0.4, 0.2, median]]))


def test_an_empty_batch_has_no_scores(scorer: Scorer) -> None:
    assert scorer.score(np.empty((0, 3))).shape == (0,)
    assert scorer.refusals(np.empty((0, 3))) == []


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (3,)])
def test_rows_of_another_width_are_invalid(scorer: Scorer, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidMessage) as caught:
        scorer.score(np.zeros(shape))
    assert caught.value.reason is Reason.FEATURE_SCHEMA_MISMATCH


def test_a_changed_model_file_is_not_loaded(onnx_bytes: bytes) -> None:
    with pytest.raises(ModelMismatchError, match="onnx_sha256"):
        Scorer.load(onnx_bytes + b"\0", card_for(onnx_bytes))


def test_bytes_that_are_no_model_are_not_loaded() -> None:
    with pytest.raises(ModelMismatchError, match="not a loadable"):
        Scorer.load(b"no model", card_for(b"no model"))


def test_a_card_of_another_width_is_not_loaded(onnx_bytes: bytes) -> None:
    with pytest.raises(ModelMismatchError, match="2 features"):
        Scorer.load(onnx_bytes, card_for(onnx_bytes, FEATURES[:2]))


def test_the_label_follows_the_card_s_threshold(onnx_bytes: bytes, scorer: Scorer) -> None:
    rows = np.vstack([np.random.default_rng(2).standard_normal((30, 3)), [[0.1, np.nan, 0.3]]])
    scores = scorer.score(rows)
    threshold = float(np.nanmedian(scores[:-1]))
    labelled, labels = Scorer.load(onnx_bytes, replace(card_for(onnx_bytes), threshold=threshold)).labelled(rows)
    assert labelled.tobytes() == scores.tobytes()
    assert labels == ["yes" if score >= threshold else "no" for score in scores[:-1]] + [""]
    assert {"yes", "no"} <= set(labels)
    exactly = replace(card_for(onnx_bytes), threshold=float(scores[0]))
    assert Scorer.load(onnx_bytes, exactly).labelled(rows[:1])[1] == ["yes"]


def test_an_empty_batch_has_no_labels(scorer: Scorer) -> None:
    assert scorer.labelled(np.empty((0, 3)))[1] == []


@pytest.fixture(scope="module")
def three_classes() -> tuple[Pipeline, bytes, np.ndarray]:
    generator = np.random.default_rng(4)
    rows = generator.standard_normal((150, 3)).astype(np.float32)
    model = Pipeline([("scale", StandardScaler()), ("logistic", LogisticRegression())])
    model.fit(rows, np.argmax(rows, axis=1))
    return model, to_onnx(model, name="toy", feature_count=3), rows.astype(np.float64)


def test_of_more_than_two_labels_the_likeliest_is_given_or_none(
    three_classes: tuple[Pipeline, bytes, np.ndarray],
) -> None:
    model, onnx_bytes, rows = three_classes
    rows = np.vstack([rows, [[np.nan, 0.0, 0.0]]])
    card = replace(card_for(onnx_bytes), labels=("kettle", "fridge", "lamp"), threshold=0.6)
    scores, labels = Scorer.load(onnx_bytes, card).labelled(rows)
    expected = model.predict_proba(rows[:-1].astype(np.float32))
    np.testing.assert_allclose(scores[:-1], expected.max(axis=1), atol=1e-5)
    assert np.isnan(scores[-1])
    clear = np.abs(expected.max(axis=1) - 0.6) > 1e-5
    likeliest = np.array(card.labels)[expected.argmax(axis=1)]
    wanted = np.where(expected.max(axis=1) >= 0.6, likeliest, UNSURE)
    assert np.array(labels[:-1])[clear].tolist() == wanted[clear].tolist()
    assert set(labels) == {"kettle", "fridge", "lamp", UNSURE, ""}


def test_a_batch_of_three_classes_scores_like_its_rows_to_the_last_bit(
    three_classes: tuple[Pipeline, bytes, np.ndarray],
) -> None:
    _model, onnx_bytes, rows = three_classes
    scorer = Scorer.load(onnx_bytes, replace(card_for(onnx_bytes), labels=("kettle", "fridge", "lamp")))
    scores, labels = scorer.labelled(rows)
    singles = [scorer.labelled(row[np.newaxis]) for row in rows]
    assert scores.tobytes() == np.concatenate([score for score, _ in singles]).tobytes()
    assert labels == [label for _, (label,) in singles]


@pytest.mark.parametrize("labels", [("no", "yes", "perhaps"), ("no", "yes", "perhaps", "never")])
def test_a_card_with_another_number_of_labels_is_not_loaded(onnx_bytes: bytes, labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelMismatchError, match=f"{len(labels)} labels"):
        Scorer.load(onnx_bytes, replace(card_for(onnx_bytes), labels=labels))
