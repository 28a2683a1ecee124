"""The protocol: nobody is on both sides of a split, and nothing about the tested people reaches the model."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from schemas.model_card import Metric
from training import evaluation, tuning
from training.dataset import GaitTable, Subjects, build_table, first_walks, middle_of
from training.evaluation import OutOfFold, auc, balanced_accuracy, cross_validate, figure, leave_study_out
from training.export import ExportError, check_agreement, to_onnx
from training.gaitpdb import Walk
from training.tuning import best_threshold, build_model, choose, fit, folds, subject_scores


def toy_table(*, signal: float = 1.5, people: int = 8, seed: int = 0) -> GaitTable:
    """Per study and group `people` subjects with one to three walks of four features; the first tells the group."""
    generator = np.random.default_rng(seed)
    rows, records = [], []
    for study in ("Ga", "Ju", "Si"):
        for group in ("Co", "Pt"):
            for number in range(1, people + 1):
                person = generator.standard_normal(4)
                person[0] += signal if group == "Pt" else 0.0
                for walk in range(1, 2 + number % 3):
                    rows.append(person + 0.05 * generator.standard_normal(4))
                    records.append(f"{study}{group}{number:02}_{walk:02}")
    return GaitTable(np.array(rows), np.array(records))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "TREES", 10)
    monkeypatch.setattr(evaluation, "REPEATS", 2)
    monkeypatch.setattr(evaluation, "OUTER_FOLDS", 4)
    monkeypatch.setattr(evaluation, "RESAMPLES", 50)


@pytest.mark.parametrize("seed", range(5))
def test_folds_share_nobody_and_test_everybody_once(seed: int) -> None:
    subjects = Subjects.of(toy_table())
    tested: list[str] = []
    for train, test in folds(subjects, count=4, seed=seed):
        assert not set(subjects.names[train]) & set(subjects.names[test])
        tested += subjects.names[test].tolist()
        patients = subjects.patients[test]
        assert 0 < patients.sum() < patients.size
    assert sorted(tested) == subjects.names.tolist()


def test_no_model_sees_the_people_it_is_tested_on(monkeypatch: pytest.MonkeyPatch) -> None:
    table = toy_table()
    seen: dict[int, set[str]] = {}
    scored: list[tuple[int, set[str]]] = []

    def recording_fit(model: object, rows: GaitTable) -> object:
        fitted = fit(model, rows)  # type: ignore[arg-type]
        seen[id(fitted)] = set(rows.subjects)
        return fitted

    def recording_scores(model: object, rows: GaitTable, subjects: Subjects) -> np.ndarray:
        scored.append((id(model), set(rows.subjects)))
        assert not seen[id(model)] & set(rows.subjects)
        return subject_scores(model, rows, subjects)  # type: ignore[arg-type]

    for module in (evaluation, tuning):
        monkeypatch.setattr(module, "fit", recording_fit)
        monkeypatch.setattr(module, "subject_scores", recording_scores)
    cross_validate(table, {"first": first_walks(table)})
    leave_study_out(table, ("Ga", "Ju", "Si"))
    assert len(scored) > 50


def test_without_a_signal_the_figures_are_chance() -> None:
    found = cross_validate(toy_table(signal=0.0, people=15), {})
    assert 0.3 < figure(found, auc).value < 0.7
    assert 0.3 < figure(found, balanced_accuracy).value < 0.7


def test_with_a_strong_signal_the_figures_are_high_and_inside_their_interval() -> None:
    table = toy_table(signal=4.0)
    found = cross_validate(table, {"first": first_walks(table)})
    for measure in (auc, balanced_accuracy):
        metric = figure(found, measure)
        assert metric.low is not None and metric.high is not None
        assert 0.85 < metric.low <= metric.value <= metric.high <= 1.0
    assert np.isfinite(found.other_scores["first"]).all()


def test_the_auc_figure_is_the_mean_over_the_repeats() -> None:
    subjects = Subjects.of(toy_table())
    scores = np.random.default_rng(1).random((3, subjects.names.size))
    metric = figure(OutOfFold(subjects, scores, scores > 0.5, {}), auc)
    expected = np.mean([roc_auc_score(subjects.patients, row) for row in scores])
    assert isinstance(metric, Metric) and metric.value == pytest.approx(expected, abs=1e-4)


def test_a_left_out_study_is_scored_by_models_of_the_others_only() -> None:
    found = leave_study_out(toy_table(signal=4.0), ("Ga", "Ju", "Si"))
    for study, scores in found.items():
        assert {name[:2] for name in scores.subjects.names} == {study}
        assert scores.scores.shape == (1, 16)


def test_the_threshold_parts_the_groups_where_they_part() -> None:
    scores = np.concatenate([np.linspace(0.05, 0.55, 50), np.linspace(0.65, 0.95, 50)])
    assert 0.55 <= best_threshold(scores, np.arange(100) >= 50) <= 0.65


def test_training_twice_gives_the_same_bytes() -> None:
    table = toy_table()
    exported = []
    for _ in range(2):
        c, _threshold = choose(table, seed=1)
        exported.append(to_onnx(fit(build_model(c), table), name="toy", feature_count=4))
    assert exported[0] == exported[1]


def test_exported_scores_that_differ_are_an_error() -> None:
    assert check_agreement(np.array([0.5]), np.array([0.500001])) < 1e-5
    for wrong in (0.5001, float("nan")):
        with pytest.raises(ExportError):
            check_agreement(np.array([wrong]), np.array([0.5]))


def test_a_walk_without_features_is_left_out_by_name() -> None:
    table, refused = build_table([Walk("GaCo01_01", np.zeros((3_000, 16)))])
    assert refused == ["GaCo01_01: no_contact"]
    assert table.features.shape[0] == 0


def test_the_middle_of_a_recording_has_the_length_asked_for() -> None:
    cut = middle_of(2.0)
    force = np.arange(1_000.0)[:, np.newaxis] * np.ones(16)
    (piece,) = cut(force)
    assert piece.shape == (200, 16) and piece[0, 0] == 400.0
    assert cut(force[:199]) == []
