"""No numbers whatever raise, warn, or pass for a measurement; a batch of n equals n batches of one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.environment import (
    ENVIRONMENT_FEATURES,
    ENVIRONMENT_GROUPS,
    EnvironmentReason,
    EnvironmentSettings,
    Pm25Correction,
)
from tests.builders_environment import SENSORS, START_US, Window, batch_of, extract, features, night, reasons, window
from udfs.environment import EnvironmentBatch, EnvironmentResult, Readings, extract_environment_batch

FULL = EnvironmentSettings(room_volume_m3=60.0, pm25_correction=Pm25Correction.BARKJOHN_2021)
HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -1.0, 99.9, 100.0, 3306.1, 1e300, -1e300, 5e-324, 21.5, 40_000.0)
LENGTHS = (60.0, 300.0, 5_400.0, 6 * 3_600.0, 12 * 3_600.0, 86_400.0, 3 * 86_400.0)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Few or many readings per sensor, at any times, of any value; sometimes a sensible day."""
    length_s = draw(st.sampled_from(LENGTHS))
    readings = {}
    for sensor in SENSORS:
        count = draw(st.sampled_from((0, 0, 1, 2, 4, 40, 400)))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        times = np.sort(rng.choice([np.floor(length_s), length_s / 7.0, length_s * 1.1]) * rng.random(count))
        sensible = {"temp": (20.0, 9.0), "humid": (60.0, 20.0), "co2": (900.0, 300.0), "pm25": (20.0, 15.0)}[sensor]
        values = rng.normal(*sensible, count)
        hostile = rng.random(count) < draw(st.sampled_from((0.0, 0.0, 0.2, 1.0)))
        values[hostile] = rng.choice(np.array(HOSTILE), int(hostile.sum()))
        if count:
            readings[sensor] = (times, values)
    return Window(length_s, readings, START_US + draw(st.integers(0, 10**6)) * 60_000_000)


def check(result: EnvironmentResult) -> None:
    """What holds for every result."""
    values = result.values
    assert not np.isinf(values).any()
    for column, feature in enumerate(ENVIRONMENT_FEATURES):
        found = values[:, column][~np.isnan(values[:, column])]
        slack = 1e-9 * max(1.0, abs(feature.lowest) if np.isfinite(feature.lowest) else 1.0)
        assert (found >= feature.lowest - slack).all(), feature.name
        assert (found <= feature.highest * (1 + 1e-12)).all(), feature.name
    column = 0
    for group, members in ENVIRONMENT_GROUPS.items():
        missing = np.isnan(values[:, column : column + len(members)]).any(axis=1)
        column += len(members)
        for row, reason in enumerate(result.reasons):
            named = [each for each in reason if each.startswith(f"{group}:")]
            assert len(named) == missing[row], (group, reason)
            assert all(each.partition(":")[2] in set(EnvironmentReason) for each in named)
    assert all(list(reason) == sorted(reason) for reason in result.reasons)


@given(st.lists(windows(), max_size=6), st.sampled_from((None, FULL)))
@settings(max_examples=120)
def test_missing_features_and_reasons_agree_whatever_the_numbers(
    some: list[Window], chosen: EnvironmentSettings | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(extract(*some, settings=chosen))


@given(st.lists(windows(), min_size=2, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_a_batch_equals_batches_of_one_in_any_order(some: list[Window], random: object) -> None:
    order = list(range(len(some)))
    random.shuffle(order)  # type: ignore[attr-defined]
    together = extract(*some, settings=FULL)
    shuffled = extract(*(some[place] for place in order), settings=FULL)
    for place, row in enumerate(order):
        alone = extract(some[row], settings=FULL)
        for result, position in ((together, row), (shuffled, place)):
            assert result.values[position].tobytes() == alone.values[0].tobytes()
            assert result.reasons[position] == alone.reasons[0]
            assert result.pm25_correction_method[position] == alone.pm25_correction_method[0]


def test_days_beside_minutes_equal_days_alone() -> None:
    rng = np.random.default_rng(3)
    rows = [window(60.0, co2=rng.normal(800, 50, 4), temp=rng.normal(20, 1, 4)) for _ in range(50)]
    rows += [night(0.7), night(0.4, hours=72.0), night(1.1, hours=13.0)]
    together = extract(*rows)
    for place, row in enumerate(rows):
        assert together.values[place].tobytes() == extract(row).values[0].tobytes()


def test_an_empty_batch_is_an_empty_table() -> None:
    result = extract()
    assert result.values.shape == (0, len(ENVIRONMENT_FEATURES))
    assert (result.reasons, result.pm25_correction_method) == ([], [])


def test_a_window_without_readings_has_counts_of_zero_and_a_reason_for_everything_else() -> None:
    found = features(window(86_400.0))
    there = {name for name, value in found.items() if not np.isnan(value)}
    assert there == {f"{sensor}_count" for sensor in SENSORS}
    assert all(found[name] == 0.0 for name in there)
    assert {reason.partition(":")[0] for reason in reasons(window(86_400.0))} == set(ENVIRONMENT_GROUPS)


def test_one_reading_has_a_level_but_no_rate_and_no_dose() -> None:
    one = window(60.0, co2=[700.0])
    assert features(one)["co2_mean_ppm"] == 700.0
    assert {"co2_rate:too_few_readings", "co2_exposure:too_few_readings"} <= reasons(one)


def test_short_windows_say_that_they_are_too_short_for_hours() -> None:
    found = reasons(window(60.0, pm25=[10.0] * 4, co2=[600.0] * 4))
    for group in ("nowcast", "pm25_24h", "pm25_8h", "pm25_hours", "air_changes", "ventilation_per_person", "co2_stuck"):
        assert f"{group}:window_too_short" in found


APART = Window(300.0, {"temp": (np.array([0.0]), np.array([20.0])), "humid": (np.array([299.0]), np.array([50.0]))})


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (window(60.0, temp=[20.0]), "humidity:no_sensor"),
        (window(60.0, temp=[20.0], humid=[np.nan]), "humidity:no_valid_reading"),
        (window(60.0, temp=[np.nan] * 4), "temp:no_valid_reading"),
        (window(60.0, temp=[200.0] * 4), "temp:no_valid_reading"),
        (window(60.0, temp=[80.0], humid=[50.0]), "humidity:out_of_validity"),
        (window(60.0, temp=[20.0], humid=[0.0]), "humidity:out_of_validity"),
        (window(60.0, temp=[55.0], humid=[50.0]), "heat_index:out_of_validity"),
        (window(60.0, temp=[20.0], humid=[3.0]), "wet_bulb:out_of_validity"),
        (APART, "humidity:no_pairs"),
        (window(0.0, temp=[20.0]), "temp:bad_window"),
        (window(-60.0, temp=[20.0]), "temp:bad_window"),
        (window(1e9, temp=[20.0]), "humidity:bad_window"),
        (Window(float("nan"), {"temp": (np.array([0.0]), np.array([20.0]))}), "nowcast:bad_window"),
        (night(0.0), "air_changes:small_drop"),
        (window(86_400.0, co2=[800.0] * 1_440), "air_changes:small_drop"),
        (window(86_400.0, co2=np.linspace(2_000.0, 500.0, 1_440)), "air_changes:small_drop"),
    ],
)  # fmt: skip
def test_why_something_is_missing(one: Window, reason: str) -> None:
    assert reason in reasons(one)
    check(extract(one))


def test_readings_outside_their_window_are_not_the_window_s() -> None:
    one = Window(60.0, {"temp": (np.array([-1.0, 0.0, 59.9, 60.0]), np.array([1.0, 20.0, 21.0, 99.0]))})
    found = features(one)
    assert (found["temp_count"], found["temp_min_degc"], found["temp_max_degc"]) == (2.0, 20.0, 21.0)


def test_readings_out_of_order_are_put_in_order() -> None:
    ordered, order = batch_of([window(60.0, temp=[20.0, 20.1, 20.2, 20.3])]), [2, 0, 3, 1]
    mixed = Readings(ordered.temp.window[order], ordered.temp.time_us[order], ordered.temp.value[order])
    none = Readings.none()
    batch = EnvironmentBatch(ordered.start_us, ordered.length_s, mixed, none, none, none)
    assert extract_environment_batch(batch).values.tobytes() == extract_environment_batch(ordered).values.tobytes()


def test_a_reading_of_a_window_that_is_not_there_is_the_caller_s_fault() -> None:
    none = Readings.none()
    stray = Readings(np.array([1]), np.array([START_US]), np.array([20.0]))
    with pytest.raises(ValueError, match="batch of 1"):
        extract_environment_batch(EnvironmentBatch(np.array([START_US]), np.array([60.0]), stray, none, none, none))
    uneven = Readings(np.array([0]), np.array([START_US, START_US]), np.array([20.0]))
    with pytest.raises(ValueError, match="shapes"):
        extract_environment_batch(EnvironmentBatch(np.array([START_US]), np.array([60.0]), uneven, none, none, none))
