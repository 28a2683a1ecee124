"""The protocol of the occupancy model: no day on both sides of a split, and nothing of a tested day in the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from schemas.environment import ENVIRONMENT_FEATURES
from tests.builders_rooms import room_table, write_detection_file
from training import occupancy, room_figures, rooms
from training.climate import RoomTable
from training.export import to_onnx
from training.occupancy import INPUT_NAMES, INPUTS, read_files
from training.room_figures import (
    MEASURES,
    Judged,
    column_rule,
    cross_validate,
    figure,
    figures,
    hour_rule,
    judge_by_rule,
)
from training.rooms import CANDIDATES, Candidate, build_model, choose, day_folds, fit, scores_of


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rooms, "CANDIDATES", (Candidate("linear", 0.1), Candidate("trees", 10)))
    monkeypatch.setattr(room_figures, "RESAMPLES", 50)
    with threadpool_limits(1):  # as in training; so little data is slower on more threads
        yield


def test_the_inputs_are_declared_and_tell_neither_light_nor_time_nor_weather() -> None:
    declared = {each.name: each.unit for each in ENVIRONMENT_FEATURES}
    assert [declared[each.name] for each in INPUTS] == [each.unit for each in INPUTS]
    assert len(INPUTS) == 3
    for name in INPUT_NAMES:
        assert name.startswith("co2_") or name.endswith("_per_h")


def test_folds_share_no_day_and_test_every_day_once() -> None:
    table = room_table(5)
    tested: list[int] = []
    for train, test in day_folds(table):
        assert not set(table.days[train]) & set(table.days[test])
        tested += sorted(set(table.days[test].tolist()))
    assert tested == sorted(set(table.days.tolist()))


def test_no_model_sees_the_day_that_it_is_tested_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[int, set[int]] = {}
    kept: list[Pipeline] = []
    scored = 0

    def recording_fit(candidate: Candidate, table: RoomTable) -> Pipeline:
        model = fit(candidate, table)
        kept.append(model)
        seen[id(model)] = set(table.days.tolist())
        return model

    def recording_scores(model: Pipeline, table: RoomTable) -> np.ndarray:
        nonlocal scored
        scored += 1
        assert not seen[id(model)] & set(table.days.tolist())
        return scores_of(model, table)

    for module in (room_figures, rooms):
        monkeypatch.setattr(module, "fit", recording_fit)
        monkeypatch.setattr(module, "scores_of", recording_scores)
    cross_validate(room_table(4))
    assert scored == 4 + 4 * 3 * 2


def test_training_days_that_the_test_file_has_too_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_detection_file(tmp_path / "training.txt", days=3)
    write_detection_file(tmp_path / "test.txt", days=1)
    monkeypatch.setattr(occupancy, "TRAINING_FILE", "training.txt")
    monkeypatch.setattr(occupancy, "TEST_FILE", "test.txt")
    monkeypatch.setattr(occupancy, "OTHER_ROOM_FILE", "test.txt")
    training, test, _ = read_files(tmp_path)
    assert np.unique(training.days).size == 2 and np.unique(test.days).size == 1
    assert not set(training.days.tolist()) & set(test.days.tolist())
    assert training.features.shape[1] == len(INPUTS)


def test_without_a_signal_the_figures_are_chance() -> None:
    found = cross_validate(room_table(5, blind=True))
    assert 0.4 < figure(found, MEASURES["auc"]).value < 0.6
    assert 0.4 < figure(found, MEASURES["balanced_accuracy"]).value < 0.6


def test_with_the_mass_balance_of_co2_the_figures_are_high_and_inside_their_interval() -> None:
    for metric in figures("days", cross_validate(room_table(5))).values():
        assert metric.low is not None and metric.high is not None
        assert 0.8 < metric.low <= metric.value <= metric.high <= 1.0
        assert "5 days" in metric.how


def test_figures_are_those_of_scikit_learn_and_few_days_are_drawn_by_the_hour() -> None:
    table = room_table(2)
    scores = np.random.default_rng(3).random(table.start_s.size)
    found = figures("toy", Judged(table, scores, scores >= 0.5))
    assert found["toy_auc"].value == pytest.approx(roc_auc_score(table.occupied, scores), abs=1e-4)
    expected = balanced_accuracy_score(table.occupied, scores >= 0.5)
    assert found["toy_balanced_accuracy"].value == pytest.approx(expected, abs=1e-4)
    assert "48 hours" in found["toy_auc"].how


def test_the_trees_never_take_more_co2_for_an_emptier_room() -> None:
    model = fit(Candidate("trees", 30), room_table(4))
    grid = np.column_stack([np.zeros(200), np.linspace(350.0, 3_000.0, 200), np.full(200, 50.0)])
    for column in range(3):
        rows = np.tile([0.0, 800.0, 0.0], (200, 1))
        rows[:, column] = grid[:, 1] if column == 1 else np.linspace(-500.0, 500.0, 200)
        scores = scores_of(model, RoomTable(rows, np.zeros(200, np.bool_), np.zeros(200, np.int64), np.zeros(200)))
        assert (np.diff(scores) >= 0.0).all()


def test_a_row_without_temperature_counts_as_the_training_median() -> None:
    table = room_table(3)
    model = fit(Candidate("linear", 1.0), table)
    rows = table.features[:2].copy()
    rows[:, 0] = [np.nan, np.median(table.features[:, 0].astype(np.float32))]
    rows[1, 1:] = rows[0, 1:]
    pair = RoomTable(rows, table.occupied[:2], table.start_s[:2], table.light_lux[:2])
    assert scores_of(model, pair)[0] == scores_of(model, pair)[1]


def test_training_twice_gives_the_same_bytes() -> None:
    exported = []
    for _ in range(2):
        table = room_table(3)
        candidate, _threshold = choose(table)
        exported.append(to_onnx(fit(candidate, table), name="toy", feature_count=3))
    assert exported[0] == exported[1]


@pytest.mark.parametrize("candidate", [CANDIDATES[0], CANDIDATES[-1]], ids=str)
def test_candidates_are_built_as_named(candidate: Candidate) -> None:
    model = build_model(candidate, inputs=3)["classify"]
    built = model.max_iter if candidate.kind == "trees" else model["logistic"].C
    assert built == candidate.strength


def test_rules_know_only_what_they_are_given() -> None:
    train, test = room_table(4), room_table(2, seed=5)
    by_light = judge_by_rule(column_rule(lambda rows: rows.light_lux[:, np.newaxis]), train, test)
    assert (by_light.positive == test.occupied).all()
    by_hour = hour_rule(train, test)
    assert by_hour[test.hours_of_day == 3].max() == 0.0
    assert by_hour[test.hours_of_day == 12].min() == np.mean(train.occupied[train.hours_of_day == 12])
