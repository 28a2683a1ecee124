"""The power anomaly model: later days judge it, its score is a rank among usual windows."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from models import load_card, load_onnx
from schemas.errors import RecordingError
from schemas.feature_schema import feature_schema_hash
from schemas.power import POWER_FEATURE_NAMES, Supply
from schemas.sensors import Domain
from training import power_anomaly_model
from training.export import INPUT_NAME
from training.power_anomaly import NAME, rank_among
from training.power_anomaly_card import Training, describe, input_features
from training.power_anomaly_faults import FAULTS, SPIKE_SHARE, SPIKE_WATT
from training.power_anomaly_figures import (
    CALIBRATION_DAYS,
    HELD_OUT_DAYS,
    THRESHOLD,
    TRAIN_DAYS,
    detection_metrics,
    false_alarm_metrics,
    limits_score,
    of_days,
    rate,
)
from training.power_anomaly_model import INPUTS, choose_states, export, fit, logarithms, surprises_of
from training.power_anomaly_windows import (
    FILE,
    PER_WINDOW,
    STEP_S,
    WINDOW_S,
    Minutes,
    WindowTable,
    build_table,
    read_minutes,
)
from udfs.power import PowerWindow, Readings, extract_power_batch
from udfs.scorer import Scorer

HEADER = (
    "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;"
    "Sub_metering_3"
)


def toy_minutes(windows: int = 60, *, seed: int = 0) -> Minutes:
    """A house with a load that is switched now and then."""
    generator = np.random.default_rng(seed)
    count = windows * PER_WINDOW
    volt = 240.0 + generator.standard_normal(count)
    ampere = np.repeat(generator.choice([1.0, 5.0, 20.0], count // 3 + 1), 3)[:count] + 0.1 * generator.random(count)
    return Minutes(600, 0.95 * volt * ampere, volt, ampere)


def toy_table(days: int = 27, *, per_day: int = 20, seed: int = 0) -> WindowTable:
    """Rows of the model's inputs with loads of three sizes, by day."""
    generator = np.random.default_rng(seed)
    count = days * per_day
    volt = 240.0 + 2.0 * generator.standard_normal(count)
    ampere = generator.choice([1.0, 5.0, 20.0], count) * (1.0 + 0.1 * generator.random(count))
    rise = 1.0 + 0.2 * generator.random(count)
    watt = 0.95 * volt * ampere
    columns = (volt, volt - rise, volt + rise, ampere, ampere * rise, watt, volt * ampere, watt * rise, watt / rise)
    return WindowTable(np.stack(columns, axis=1), np.repeat(np.arange(days), per_day))


def test_the_three_parts_share_no_day_and_follow_each_other() -> None:
    assert max(TRAIN_DAYS) < min(CALIBRATION_DAYS) <= max(CALIBRATION_DAYS) < min(HELD_OUT_DAYS)
    table = toy_table()
    parts = [of_days(table, days) for days in (TRAIN_DAYS, CALIBRATION_DAYS, HELD_OUT_DAYS)]
    assert sum(len(part.days) for part in parts) == len(table.days)
    assert len(CALIBRATION_DAYS) == len(HELD_OUT_DAYS) == 7


def test_choosing_the_number_of_states_splits_no_day(monkeypatch: pytest.MonkeyPatch) -> None:
    table = toy_table(8)
    day_of = {row.tobytes(): int(day) for row, day in zip(table.features, table.days, strict=True)}
    left_out: list[set[int]] = []

    def recording_fit(features: np.ndarray, states: int) -> object:
        seen = {day_of[row.tobytes()] for row in features}
        assert sum(table.days == day for day in seen).sum() == len(features)  # type: ignore[union-attr]
        left_out.append(set(range(8)) - seen)
        return fit(features, states)

    monkeypatch.setattr(power_anomaly_model, "fit", recording_fit)
    monkeypatch.setattr(power_anomaly_model, "STATES", (1, 3))
    choose_states(table)
    assert left_out == [{0, 4}, {1, 5}, {2, 6}, {3, 7}] * 2


def test_three_sizes_of_load_ask_for_more_than_one_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_anomaly_model, "STATES", (1, 3))
    assert choose_states(toy_table()) == 3


def test_the_logarithms_end_with_the_spreads() -> None:
    row = np.array([[230.0, 229.0, 231.5, 5.0, 6.0, 1_100.0, 1_150.0, 1_300.0, 900.0]])
    found = logarithms(row)[0]
    assert found[:2] == pytest.approx([np.log(231.0), np.log(230.0)])
    assert found[3] == pytest.approx(np.log(5.2)) and found[6] == pytest.approx(np.log(1_170.0))
    assert found[9:] == pytest.approx([np.log(2.6), np.log(420.0)])
    assert np.isfinite(logarithms(-row)).all()


def test_the_score_is_the_rank_among_the_calibration_windows() -> None:
    table = toy_table()
    usual = fit(of_days(table, TRAIN_DAYS).features, 3)
    calibration = of_days(table, CALIBRATION_DAYS).features
    scores = np.sort(rank_among(usual, calibration)(calibration))
    np.testing.assert_allclose(scores, np.arange(140) / 141.0)
    assert rank_among(usual, calibration)(calibration[:1] * 10.0)[0] == 140 / 141


@pytest.mark.parametrize("seed", range(3))
def test_days_alike_give_the_stated_share_of_false_alarms(seed: int) -> None:
    table = toy_table(per_day=100, seed=seed)
    usual = fit(of_days(table, TRAIN_DAYS).features, 3)
    found = false_alarm_metrics(rank_among(usual, of_days(table, CALIBRATION_DAYS).features), table)
    assert 0.01 < found["held_out_false_alarm_rate_at_0_95"].value < 0.09
    assert found["held_out_false_alarm_rate"].value < 0.03
    alone = false_alarm_metrics(limits_score(table), table)
    assert 0.01 < alone["held_out_false_alarm_rate_at_0_95"].value < 0.09


def test_the_interval_of_a_rate_draws_days() -> None:
    days = np.repeat(np.arange(4), 10)
    metric = rate(days == 0, days)
    assert (metric.value, metric.low) == (0.25, 0.0) and metric.high is not None and metric.high >= 0.5
    assert metric.how.endswith("4 days, which have 0.0000 to 1.0000")
    even = rate(np.arange(40) % 10 == 0, days)
    assert (even.value, even.low, even.high) == (0.1, 0.1, 0.1)


def test_the_exported_model_computes_what_the_trained_one_does() -> None:
    table = toy_table()
    table = WindowTable(table.features.astype(np.float32).astype(np.float64), table.days)
    usual = fit(of_days(table, TRAIN_DAYS).features, 4)
    calibration, held_out = (of_days(table, days).features for days in (CALIBRATION_DAYS, HELD_OUT_DAYS))
    onnx_bytes = export(usual, usual.surprise(calibration), name="toy")
    np.testing.assert_allclose(surprises_of(onnx_bytes, held_out), usual.surprise(held_out), rtol=1e-9, atol=1e-9)
    assert isinstance(usual.mixture, GaussianMixture)
    card = describe(
        Training(
            name="toy",
            version="1",
            onnx_bytes=onnx_bytes,
            states=4,
            table=table,
            incomplete=0,
            metrics={},
            baselines={},
        )
    )
    assert card.from_json(card.to_json()) == card
    assert card.records == {"all": 540, "training": 260, "calibration": 140, "held_out": 140, "left_out_incomplete": 0}
    scorer = Scorer.load(onnx_bytes, card)
    scores, labels = scorer.labelled(held_out)
    np.testing.assert_allclose(scores, rank_among(usual, calibration)(held_out), atol=1e-6)
    assert labels == ["unusual" if score >= THRESHOLD else "usual" for score in scores]
    assert np.isnan(scorer.score(np.full((1, len(INPUTS)), np.nan))[0])


def test_training_twice_gives_the_same_bytes() -> None:
    table = toy_table()
    exported = []
    for _ in range(2):
        usual = fit(of_days(table, TRAIN_DAYS).features, 4)
        exported.append(export(usual, usual.surprise(of_days(table, CALIBRATION_DAYS).features), name="toy"))
    assert exported[0] == exported[1]
    assert INPUT_NAME.encode() in exported[0]


@given(st.sampled_from(sorted(FAULTS)), st.integers(0, 59))
def test_a_fault_in_a_window_is_made_of_that_window_and_the_hour_before(name: str, window: int) -> None:
    minutes = toy_minutes()
    elsewhere = np.ones(60, dtype=np.bool_)
    elsewhere[[window, max(0, window - 12)]] = False
    shaken = np.repeat(np.where(elsewhere, 3.0, 1.0), PER_WINDOW)
    other = minutes.with_readings(
        watt=shaken * minutes.watt, volt=shaken * minutes.volt, ampere=shaken * minutes.ampere
    )
    rows = slice(window * PER_WINDOW, (window + 1) * PER_WINDOW)
    spoil = FAULTS[name][1]
    for field in ("watt", "volt", "ampere"):
        np.testing.assert_array_equal(getattr(spoil(minutes), field)[rows], getattr(spoil(other), field)[rows])


def test_the_faults_are_those_of_the_recipe() -> None:
    minutes = toy_minutes()
    spoiled = {name: spoil(minutes) for name, (_, spoil) in FAULTS.items()}
    assert not spoiled["volt_zero"].volt.any() and spoiled["volt_zero"].watt is minutes.watt
    np.testing.assert_array_equal(spoiled["amp_doubled"].ampere, 2.0 * minutes.ampere)
    np.testing.assert_array_equal(spoiled["load_doubled"].watt, 2.0 * minutes.watt)
    watts = (spoiled["watt_spike"].watt - minutes.watt).reshape(-1, PER_WINDOW)
    np.testing.assert_allclose(np.sort(watts, axis=1), np.tile([0, 0, 0, 0, SPIKE_WATT], (60, 1)), atol=1e-9)
    shares = (spoiled["volt_spike"].volt / minutes.volt).reshape(-1, PER_WINDOW)
    np.testing.assert_allclose(np.sort(shares, axis=1), np.tile([1, 1, 1, 1, 1 + SPIKE_SHARE], (60, 1)))
    stuck = spoiled["all_stuck"].volt.reshape(-1, PER_WINDOW)
    assert np.isnan(stuck[:12]).all()
    np.testing.assert_array_equal(stuck[12:], np.repeat(minutes.volt[: 48 * PER_WINDOW : PER_WINDOW, None], 5, axis=1))


def test_detection_counts_windows_at_the_threshold() -> None:
    table = WindowTable(np.arange(10.0)[:, None] * np.ones(len(INPUTS)), np.arange(10) // 5)
    found = detection_metrics(lambda features: features[:, 0] / 8.0, {"made_up": table})
    assert found["detected_made_up"].value == 0.2


def test_windows_with_a_lost_reading_are_left_out() -> None:
    minutes = toy_minutes(4)
    volt = minutes.volt.copy()
    volt[7] = np.nan
    table = build_table(minutes.with_readings(volt=volt), INPUTS)
    whole = build_table(minutes, INPUTS)
    np.testing.assert_array_equal(table.features, whole.features[[0, 2, 3]])
    assert np.isfinite(whole.features).all()


def test_the_inputs_are_the_same_for_readings_at_any_times_and_for_any_declared_voltage() -> None:
    minutes = toy_minutes(6)
    windows = []
    for place, start_s in enumerate(minutes.window_start_s.tolist()):
        rows = slice(place * PER_WINDOW, (place + 1) * PER_WINDOW)
        time_us = (start_s + STEP_S * np.arange(PER_WINDOW, dtype=np.int64)) * 1_000_000
        volt, amp, watt = (
            Readings(time_us, ("value",), values[rows, None]) for values in (minutes.volt, minutes.ampere, minutes.watt)
        )
        windows.append(PowerWindow(start_s * 1_000_000, float(WINDOW_S), volt=volt, amp=amp, watt=watt))
    index = [POWER_FEATURE_NAMES.index(name) for name in INPUTS]
    expected = build_table(minutes, INPUTS).features
    for nominal in (None, 120.0, 230.0):
        values, _ = extract_power_batch(windows, Supply(nominal_volt=nominal))
        np.testing.assert_allclose(values[:, index], expected, rtol=1e-6)


def test_readings_lie_on_the_grid_of_windows(tmp_path: Path) -> None:
    lines = [HEADER]
    for minute in (3, 4, 5, 6, 10, 11):
        lines.append(f"16/12/2006;00:{minute:02d}:00;0.{minute:02d};0.1;24{minute % 10}.5;2.4;0;0;0")
    (tmp_path / FILE).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    minutes = read_minutes(tmp_path)
    assert (minutes.start_s, len(minutes.watt)) == (0, 15)
    assert np.flatnonzero(np.isfinite(minutes.volt)).tolist() == [3, 4, 5, 6, 10, 11]
    assert minutes.watt[[3, 11]] == pytest.approx([30.0, 110.0])
    assert not minutes.complete.any()
    with pytest.raises(RecordingError):
        read_minutes(tmp_path / "elsewhere")


def test_the_packed_card_is_of_windows_that_ring() -> None:
    card = load_card(NAME)
    assert (card.domain, card.window_s, card.alerts, card.labels) == (Domain.POWER, 300, True, ("usual", "unusual"))
    assert card.threshold == THRESHOLD == 0.99
    assert tuple(card.feature_names) == INPUTS and card.features == input_features()
    assert card.feature_schema_hash == feature_schema_hash(card.features)
    assert {f"detected_{name}" for name in FAULTS} <= set(card.metrics)
    assert all(words in card.split_protocol for words, _ in FAULTS.values())


@pytest.fixture(scope="module")
def table(brain_data: Path) -> WindowTable:
    return build_table(read_minutes(brain_data / "power" / "uci_household"), INPUTS)


@pytest.mark.data
def test_the_packed_model_rings_as_often_as_its_card_says(table: WindowTable) -> None:
    card = load_card(NAME)
    scorer = Scorer.load(load_onnx(NAME), card)
    assert card.records["all"] == len(table.days)
    for name, metric in false_alarm_metrics(scorer.score, table).items():
        assert metric.value == pytest.approx(card.metrics[name].value, abs=1e-3)
    calibration = scorer.score(of_days(table, CALIBRATION_DAYS).features)
    assert np.mean(calibration >= card.threshold) == pytest.approx(0.01, abs=1e-3)


@pytest.mark.data
def test_training_again_gives_the_packed_model(table: WindowTable) -> None:
    states = choose_states(of_days(table, TRAIN_DAYS))
    usual = fit(of_days(table, TRAIN_DAYS).features, states)
    held_out = of_days(table, HELD_OUT_DAYS).features
    np.testing.assert_allclose(surprises_of(load_onnx(NAME), held_out), usual.surprise(held_out), rtol=1e-4, atol=1e-4)
