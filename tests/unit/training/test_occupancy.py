"""The packed occupancy model against the data that it was made from and measured on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from models import load_card, load_onnx
from training import room_figures
from training.climate import RoomTable
from training.occupancy import INPUTS, NAME, baseline_metrics, read_files
from training.room_figures import Judged, figures
from training.rooms import choose, fit, scores_of
from udfs.scorer import Scorer

pytestmark = pytest.mark.data

CARD = load_card(NAME)
Tables = tuple[RoomTable, RoomTable, RoomTable]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in training; so little data is slower on more threads."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def tables(brain_data: Path) -> Tables:
    return read_files(brain_data / "environment")


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load(load_onnx(NAME), CARD)


def test_training_again_gives_the_packed_model(tables: Tables, scorer: Scorer) -> None:
    training = tables[0]
    candidate, threshold = choose(training)
    assert f"chosen: {candidate}." in CARD.split_protocol
    assert threshold == CARD.threshold
    np.testing.assert_allclose(
        scorer.score(training.features), scores_of(fit(candidate, training), training), atol=1e-5
    )


def test_the_card_s_figures_are_those_of_the_packed_model(tables: Tables, scorer: Scorer) -> None:
    for prefix, table in (("test", tables[1]), ("other_room", tables[2])):
        scores, labels = scorer.labelled(table.features)
        for name, metric in figures(prefix, Judged(table, scores, np.array(labels) == "occupied")).items():
            card = CARD.metrics[name]
            assert metric.how == card.how
            got, said = (metric.value, metric.low, metric.high), (card.value, card.low, card.high)
            assert got == pytest.approx(said, abs=2e-3)


def test_the_card_s_baselines_are_those_of_the_rules(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_figures, "RESAMPLES", 5)
    found = baseline_metrics(*tables)
    assert found.keys() == CARD.baselines.keys()
    for name, metric in found.items():
        assert metric.value == pytest.approx(CARD.baselines[name].value, abs=2e-3)


def test_the_card_counts_what_it_was_made_from(tables: Tables) -> None:
    training, test, _other = tables
    assert CARD.features == INPUTS
    assert CARD.records == {
        "all": training.start_s.size,
        "empty": int((~training.occupied).sum()),
        "occupied": int(training.occupied.sum()),
    }
    assert CARD.subjects["days"] == np.unique(training.days).size == 6
    assert not set(training.days.tolist()) & set(test.days.tolist())
