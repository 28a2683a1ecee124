"""The packed gait model against the data that it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import load_card, load_onnx
from schemas.health import GAIT_FEATURE_NAMES
from training.dataset import GaitTable, build_table
from training.gait_parkinson import INPUTS, NAME, trained_scores
from training.gaitpdb import read_walks
from training.tuning import SEED, build_model, choose, fit
from udfs.scorer import Scorer


def test_the_model_s_inputs_know_neither_side_nor_weight_nor_length() -> None:
    names = [column.name for column in INPUTS]
    assert len(names) == len(set(names)) > 50
    assert set(names) <= set(GAIT_FEATURE_NAMES)
    for name in names:
        assert "left" not in name and "right" not in name and "count" not in name and "newton" not in name


@pytest.fixture(scope="module")
def table(brain_data: Path) -> GaitTable:
    walks, _refused = build_table(read_walks(brain_data / "health" / "gaitpdb"))
    return walks.columns(column.name for column in INPUTS)


@pytest.mark.data
def test_training_again_gives_the_packed_model(table: GaitTable) -> None:
    card = load_card(NAME)
    c, threshold = choose(table, seed=SEED)
    again = trained_scores(fit(build_model(c), table), table)
    packed = Scorer.load(load_onnx(NAME), card).score(table.features)
    assert threshold == card.threshold
    np.testing.assert_allclose(packed, again, atol=1e-5)


@pytest.mark.data
def test_the_card_counts_the_people_and_walks_it_was_made_from(table: GaitTable) -> None:
    card = load_card(NAME)
    assert card.records["all"] == len(table.records) == 222
    assert card.subjects == {
        "all": len(set(table.subjects)),
        "control": len({name for name in table.subjects if "Co" in name}),
        "parkinson": len({name for name in table.subjects if "Pt" in name}),
        **{study: len({name for name in table.subjects if name.startswith(study)}) for study in ("Ga", "Ju", "Si")},
    }
