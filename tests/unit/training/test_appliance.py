"""The appliance model: near-copies are never on both sides of a split, and the packed file is what the card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from models import load_card, load_onnx
from schemas.errors import RecordingError
from schemas.power import POWER_FEATURE_NAMES, Supply
from schemas.sensors import Domain
from training import appliance_figures, appliance_model
from training.appliance import NAME, train
from training.appliance_events import (
    SAMPLE_RATE_HZ,
    SAMPLES,
    ApplianceTable,
    Events,
    build_table,
    cycle_distances,
    near_copies,
    read_events,
)
from training.appliance_figures import (
    by_model,
    by_nearest_neighbour,
    class_f1,
    cross_validate,
    figure,
    groups_per_class,
    macro_f1,
    unknown_class_named_share,
)
from training.appliance_model import INPUTS, as_consumed, choose, fit, group_folds, name_rows, naming_threshold
from training.tuning import SEED
from udfs.power import PhaseSignal, PowerWindow, extract_power_batch
from udfs.scorer import Scorer

CODES = (1, 2, 5)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appliance_figures, "REPEATS", 2)
    monkeypatch.setattr(appliance_figures, "OUTER_FOLDS", 3)
    monkeypatch.setattr(appliance_figures, "RESAMPLES", 50)


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appliance_model, "TREES", 10)


def toy_events(*, appliances: int = 5, copies: int = 3, seed: int = 0) -> Events:
    """Of each class some appliances, of each of those some cycles that differ by 1 % noise and the mains voltage."""
    generator = np.random.default_rng(seed)
    angle = 2.0 * np.pi * 60.0 * np.arange(SAMPLES) / SAMPLE_RATE_HZ
    voltage, current, codes = [], [], []
    for place, code in enumerate(CODES):
        for appliance in range(appliances):
            size = (1.0 + place) * 1.3**appliance
            wave = np.sin(angle - 0.3 * place) + 0.25 * place * np.sin(3.0 * angle)
            for _ in range(copies):
                mains = generator.uniform(0.97, 1.03)
                voltage.append(mains * 170.0 * np.sin(angle))
                noise = 0.005 * generator.standard_normal(SAMPLES)
                current.append(mains * size * (wave + noise))
                codes.append(code)
    return Events(np.array(voltage), np.array(current), np.array(codes))


def toy_table(*, signal: float = 2.0, seed: int = 0) -> tuple[ApplianceTable, np.ndarray]:
    """Rows of the model's inputs, all positive, in groups of one to four; the first input is unlike for every row."""
    generator = np.random.default_rng(seed)
    rows, codes, groups = [], [], []
    for group in range(36):
        centre = generator.standard_normal(len(INPUTS))
        centre[1] += signal * (group % 3)
        for _ in range(1 + group % 4):
            rows.append(np.exp(0.3 * (centre + 0.05 * generator.standard_normal(len(INPUTS)))))
            codes.append(CODES[group % 3])
            groups.append(group)
    table = np.array(rows)
    table[:, 0] = np.arange(len(rows))
    return ApplianceTable(table, np.array(codes)), np.array(groups)


def test_cycles_of_one_appliance_are_one_group_whatever_the_mains_and_the_sign() -> None:
    events = toy_events()
    groups = near_copies(events)
    assert np.unique(groups).size == 15
    assert [np.unique(part).size for part in groups.reshape(15, 3)] == [1] * 15
    turned = Events(events.voltage, np.where(np.arange(45)[:, None] % 3 == 0, -1, 1) * events.current, events.codes)
    np.testing.assert_array_equal(near_copies(turned), groups)


def test_the_distance_of_two_cycles_is_their_relative_difference() -> None:
    events = toy_events(appliances=2, copies=1)
    same = Events(events.voltage[[0, 0, 0]], events.current[[0, 0, 0]] * [[1.0], [0.9], [-1.0]], events.codes[:3])
    expected = [[0.0, 0.1, 0.0], [0.1, 0.0, 0.1], [0.0, 0.1, 0.0]]
    np.testing.assert_allclose(cycle_distances(same), expected, atol=1e-7)


def test_a_wider_threshold_only_joins_groups() -> None:
    events = toy_events()
    narrow, wide = near_copies(events, 0.02), near_copies(events, 0.4)
    assert np.unique(wide).size < np.unique(narrow).size
    assert all(np.unique(wide[narrow == group]).size == 1 for group in np.unique(narrow))


@pytest.mark.parametrize("seed", range(5))
def test_folds_split_no_group_and_test_every_row_once(seed: int) -> None:
    table, groups = toy_table()
    tested: list[int] = []
    for train_rows, test_rows in group_folds(table, groups, count=4, seed=seed):
        assert not set(groups[train_rows]) & set(groups[test_rows])
        assert set(table.codes[test_rows]) == set(CODES)
        tested += test_rows.tolist()
    assert sorted(tested) == list(range(table.codes.size))


@pytest.mark.usefixtures("few_trees")
def test_no_model_sees_the_groups_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    table, groups = toy_table()
    seen: dict[int, set[int]] = {}
    models: list[object] = []
    named = 0

    def groups_of(rows: ApplianceTable) -> set[int]:
        return set(groups[rows.features[:, 0].astype(int)].tolist())

    def recording_fit(per_split: appliance_model.PerSplit, rows: ApplianceTable, names: tuple[str, ...]) -> object:
        fitted = fit(per_split, rows, names)
        models.append(fitted)
        seen[id(fitted)] = groups_of(rows)
        return fitted

    def recording_names(model: object, rows: ApplianceTable, names: tuple[str, ...]) -> object:
        nonlocal named
        named += 1
        assert not seen[id(model)] & groups_of(rows)
        return name_rows(model, rows, names)  # type: ignore[arg-type]

    for module in (appliance_model, appliance_figures):
        monkeypatch.setattr(module, "fit", recording_fit)
        monkeypatch.setattr(module, "name_rows", recording_names)
    cross_validate(table, groups, by_model())
    assert named == 2 * 3 * (3 * 3 + 1)


@pytest.mark.usefixtures("few_trees")
def test_the_figures_are_chance_without_a_signal_and_high_with_one() -> None:
    macro = macro_f1(np.array(CODES))
    for signal, low, high in ((0.0, 0.1, 0.6), (12.0, 0.75, 1.0)):
        table, groups = toy_table(signal=signal)
        metric = figure(cross_validate(table, groups, by_model()), macro)
        assert metric.low is not None and metric.high is not None
        assert low <= metric.value <= high and metric.low <= metric.value <= metric.high


def test_a_random_split_flatters_the_nearest_neighbour() -> None:
    table, groups = toy_table(signal=0.0)
    plain = ApplianceTable(table.features[:, [1, *range(1, len(INPUTS))]], table.codes)
    macro = macro_f1(np.array(CODES))
    alone = np.arange(table.codes.size)
    grouped = figure(cross_validate(plain, groups, by_nearest_neighbour), macro).value
    assert figure(cross_validate(plain, alone, by_nearest_neighbour), macro).value > grouped + 0.2


def test_class_f1_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    truth, named = generator.choice(CODES, 200), generator.choice(CODES, 200)
    expected = f1_score(truth, named, average=None, labels=list(CODES))
    np.testing.assert_allclose(class_f1(truth, named, np.array(CODES)), expected)
    assert np.isnan(class_f1(np.array([1]), np.array([1]), np.array([1, 2]))[1])


@pytest.mark.usefixtures("few_trees")
def test_an_unknown_appliance_is_of_a_class_that_was_not_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    table, groups = toy_table(signal=12.0)
    trained: list[set[int]] = []

    def recording_fit(per_split: appliance_model.PerSplit, rows: ApplianceTable, names: tuple[str, ...]) -> object:
        trained.append(set(rows.codes.tolist()))
        return fit(per_split, rows, names)

    monkeypatch.setattr(appliance_figures, "fit", recording_fit)
    metric = unknown_class_named_share(table, groups)
    assert trained == [{2, 5}, {1, 5}, {1, 2}]
    assert metric.low is not None and metric.high is not None and 0.0 <= metric.low <= metric.value <= metric.high


def test_the_naming_threshold_is_the_lowest_at_which_nine_of_ten_are_right() -> None:
    scores = np.array([0.4] * 10 + [0.62] * 10 + [0.9] * 10)
    assert naming_threshold(scores, np.array([False] * 10 + [True] * 20)) == 0.45
    assert naming_threshold(scores, np.array([True] * 30)) == 0.3
    # Nowhere nine of ten: half of the best fifth beats a third of all.
    assert naming_threshold(scores, np.array([False] * 10 + [True] * 4 + [False] * 6 + [True, False] * 5)) == 0.65


def test_a_turned_transformer_gives_the_same_row_and_the_same_score() -> None:
    events = toy_events()
    table = build_table(events).columns(INPUTS)
    turned = build_table(Events(events.voltage, -events.current, events.codes)).columns(INPUTS)
    assert np.any(table.features != turned.features)
    np.testing.assert_array_equal(as_consumed(table.features), as_consumed(turned.features))


def test_the_inputs_know_no_voltage_and_no_declared_one() -> None:
    assert not [name for name in INPUTS if name.startswith("volt")]
    assert len(set(INPUTS)) == len(INPUTS)
    events = toy_events(appliances=1, copies=1)
    windows = [
        PowerWindow(
            0,
            60.0,
            volt=PhaseSignal(0, SAMPLE_RATE_HZ, ("value",), volt[:, None].astype(np.float32).astype(np.float64)),
            amp=PhaseSignal(0, SAMPLE_RATE_HZ, ("value",), amp[:, None].astype(np.float32).astype(np.float64)),
        )
        for volt, amp in zip(events.voltage, events.current, strict=True)
    ]
    index = [POWER_FEATURE_NAMES.index(name) for name in INPUTS]
    expected = build_table(events).columns(INPUTS).features
    for nominal in (None, 120.0, 230.0):
        values, _ = extract_power_batch(windows, Supply(nominal_volt=nominal))
        np.testing.assert_array_equal(values[:, index], expected)


@pytest.mark.usefixtures("few_trees")
def test_training_twice_gives_the_same_bytes_and_a_card_that_fits(tmp_path: Path) -> None:
    events = toy_events()
    np.savez(tmp_path / "plaid.npz", voltage=events.voltage, current=events.current, label=events.codes)
    (card, onnx_bytes), (again, bytes_again) = train(tmp_path), train(tmp_path)
    assert onnx_bytes == bytes_again and card.to_json() == again.to_json()
    assert card.from_json(card.to_json()) == card
    assert card.labels == ("class_01", "class_02", "class_05")
    assert card.records == {"all": 45, "class_01": 15, "class_02": 15, "class_05": 15}
    assert card.subjects == {"near_copy_groups": 15, "class_01": 5, "class_02": 5, "class_05": 5}
    scorer = Scorer.load(onnx_bytes, card)
    features = build_table(events).columns(INPUTS).features
    scores, labels = scorer.labelled(features)
    turned = build_table(Events(events.voltage, -events.current, events.codes)).columns(INPUTS).features
    np.testing.assert_array_equal(scorer.score(turned), scores)
    expected = [f"class_{code:02d}" for code in events.codes]
    assert all(label in (truth, "unsure") for label, truth in zip(labels, expected, strict=True))


def test_an_archive_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"plaid\.npz"):
        read_events(tmp_path)
    np.savez(tmp_path / "plaid.npz", voltage=np.zeros((2, 4)), current=np.zeros((2, 4)), label=np.array([1, 2]))
    with pytest.raises(RecordingError, match="voltage"):
        read_events(tmp_path)


@pytest.mark.data
def test_the_packed_model_is_what_training_gives(brain_data: Path) -> None:
    card = load_card(NAME)
    events = read_events(brain_data / "power" / "plaid")
    table, groups = build_table(events).columns(INPUTS), near_copies(events)
    per_split, threshold = choose(table, groups, seed=SEED)
    assert threshold == card.threshold
    scores, labels = Scorer.load(load_onnx(NAME), card).labelled(table.features)
    np.testing.assert_allclose(scores, name_rows(fit(per_split, table), table)[1], atol=1e-5)
    assert set(labels) <= {*card.labels, "unsure"}


@pytest.mark.data
def test_the_card_counts_the_events_and_groups_it_was_made_from(brain_data: Path) -> None:
    card = load_card(NAME)
    assert (card.domain, card.window_s, card.alerts, len(card.labels)) == (Domain.POWER, 60, False, 12)
    assert tuple(card.feature_names) == INPUTS
    events = read_events(brain_data / "power" / "plaid")
    assert card.records["all"] == events.codes.size == 200
    groups = near_copies(events)
    counts = {f"class_{code:02d}": count for code, count in groups_per_class(events.codes, groups).items()}
    assert card.subjects == {"near_copy_groups": np.unique(groups).size, **counts}


def test_the_card_tells_the_leak() -> None:
    card = load_card(NAME)
    metrics, baselines = card.metrics, card.baselines
    assert metrics["random_split_macro_f1"].value > metrics["grouped_macro_f1"].value
    assert metrics["grouped_macro_f1"].value > baselines["nearest_neighbour_grouped_macro_f1"].value
    assert metrics["grouped_class_03_f1"].value == 0.0 and card.subjects["class_03"] == 1
