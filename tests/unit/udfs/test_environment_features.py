"""What the features of a window are made of."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.environment import (
    ENVIRONMENT_FEATURES,
    ENVIRONMENT_GROUPS,
    EnvironmentReason,
    EnvironmentSettings,
    Pm25Correction,
)
from schemas.errors import SettingsError
from tests.builders_environment import Window, extract, features, night, reasons, window
from udfs.environment.comfort import heat_index_degc
from udfs.environment.psychrometrics import dew_point_degc

BARKJOHN = EnvironmentSettings(pm25_correction=Pm25Correction.BARKJOHN_2021)
DAY_S = 86_400.0


def hourly_day(values: list[float], length_s: float = DAY_S) -> Window:
    """One PM2.5 reading an hour, NaN = not reported."""
    times = np.arange(len(values)) * 3_600.0
    kept = ~np.isnan(values)
    return Window(length_s, {"pm25": (times[kept], np.array(values)[kept])})


def test_every_feature_names_its_formula_source_and_unit() -> None:
    names = [feature.name for feature in ENVIRONMENT_FEATURES]
    assert len(names) == len(set(names))
    for feature in ENVIRONMENT_FEATURES:
        assert feature.formula and feature.source and feature.unit and feature.doc
        assert feature.lowest <= feature.highest


def test_level_and_rate_of_a_sensor() -> None:
    found = features(window(60.0, temp=[20.0, 20.1, 20.2, 20.3]))
    assert (found["temp_count"], found["temp_min_degc"], found["temp_max_degc"]) == (4.0, 20.0, 20.3)
    assert found["temp_mean_degc"] == pytest.approx(20.15)
    assert found["temp_rate_degc_per_h"] == pytest.approx(0.1 * 240.0)
    assert found["temp_longest_gap_s"] == 15.0


def test_readings_that_no_sensor_gives_are_counted_and_used_nowhere() -> None:
    clean = features(window(60.0, every_s=10.0, humid=[50.0, 51.0]))
    found = features(window(60.0, every_s=10.0, humid=[50.0, 51.0, 3306.1, -1.0, np.inf, np.nan]))
    assert found["humid_out_of_range_pct"] == pytest.approx(60.0)
    for name in ("humid_count", "humid_mean_pct", "humid_max_pct", "humid_rate_pct_per_h", "humid_saturated_pct"):
        assert found[name] == clean[name]


def test_the_longest_gap_counts_the_silence_at_both_ends() -> None:
    assert (
        features(Window(300.0, {"co2": (np.array([10.0, 20.0]), np.array([500.0, 501.0]))}))["co2_longest_gap_s"]
        == 280.0
    )
    assert features(Window(300.0, {"co2": (np.array([250.0]), np.array([500.0]))}))["co2_longest_gap_s"] == 250.0


@pytest.mark.parametrize(
    ("values", "stuck"),
    [([21.0] * 70, 1.0), ([21.0, 21.1] * 35, 0.0), ([21.0] * 59 + [21.1] + [21.0] * 10, 0.0)],
)
def test_a_sensor_that_does_not_change_for_an_hour_is_stuck(values: list[float], stuck: float) -> None:
    found = features(window(7_200.0, every_s=60.0, temp=values))
    assert found["temp_stuck_flag"] == stuck


def test_the_longest_run_of_equal_readings() -> None:
    found = features(window(60.0, every_s=6.0, temp=[20.0, 21.0, 21.0, 21.0, 22.0, 21.0, np.nan, 21.0]))
    assert (found["temp_stuck_run_count"], found["temp_stuck_run_s"]) == (3.0, 12.0)


def test_a_pegged_humidity_sensor_is_flagged() -> None:
    found = features(window(60.0, humid=[99.9, 99.9, 95.0, 90.0]))
    assert (found["humid_saturated_pct"], found["humid_saturated_flag"]) == (50.0, 1.0)
    assert features(window(60.0, humid=[99.8, 95.0]))["humid_saturated_flag"] == 0.0


def test_clean_air_is_not_a_saturated_sensor_but_no_co2_is() -> None:
    found = features(window(60.0, pm25=[0.0, 0.0], co2=[0.0, 500.0]))
    assert (found["pm25_saturated_flag"], found["co2_saturated_pct"]) == (0.0, 50.0)


def test_joined_features_are_means_of_pairs_not_functions_of_means() -> None:
    temp, humid = np.array([10.0, 35.0]), np.array([90.0, 60.0])
    found = features(window(60.0, temp=temp, humid=humid))
    assert found["dew_point_mean_degc"] == pytest.approx(dew_point_degc(temp, humid).mean(), abs=1e-12)
    assert found["dew_point_mean_degc"] != pytest.approx(
        dew_point_degc(temp.mean(keepdims=True), humid.mean(keepdims=True))[0], abs=0.1
    )
    assert found["heat_index_max_degc"] == pytest.approx(heat_index_degc(temp, humid).max(), abs=1e-12)
    assert found["dew_point_depression_min_degc"] == pytest.approx((temp - dew_point_degc(temp, humid)).min())


def test_a_reading_is_paired_with_the_nearest_one_within_the_tolerance() -> None:
    times = {
        "temp": (np.array([0.0, 100.0, 280.0]), np.array([20.0, 25.0, 30.0])),
        "humid": (np.array([30.0, 90.0, 150.0]), np.array([40.0, 50.0, 60.0])),
    }
    found = features(Window(300.0, times))
    # 0 s takes 30 s, 100 s takes 90 s; 280 s is 130 s away from the nearest and has no partner.
    expected = dew_point_degc(np.array([20.0, 25.0]), np.array([40.0, 50.0])).mean()
    assert found["dew_point_mean_degc"] == pytest.approx(expected, abs=1e-12)


def test_pairs_never_reach_into_another_window() -> None:
    first = Window(60.0, {"temp": (np.array([59.0]), np.array([20.0]))})
    second = Window(60.0, {"humid": (np.array([0.0]), np.array([50.0]))}, start_us=first.start_us + 60_000_000)
    result = extract(first, second)
    assert "humidity:no_sensor" in result.reasons[0]
    assert "humidity:no_sensor" in result.reasons[1]


def test_shares_of_the_co2_categories() -> None:
    found = features(window(60.0, co2=[420.0, 970.0, 970.1, 1_220.0, 1_770.0, 1_770.1]))
    shares = [found[f"co2_category_{number}_pct"] for number in (1, 2, 3, 4)]
    assert shares == pytest.approx([100 * 2 / 6, 100 * 2 / 6, 100 / 6, 100 / 6])


def test_dose_and_hours_above_a_threshold() -> None:
    found = features(window(3_600.0, every_s=60.0, co2=[1_420.0] * 30 + [420.0] * 30))
    assert found["co2_excess_dose_ppm_h"] == pytest.approx(500.0)
    assert found["co2_hours_above"] == pytest.approx(0.5)
    assert found["co2_hours_covered"] == pytest.approx(1.0)


def test_a_gap_is_not_exposure() -> None:
    times = np.concatenate([np.arange(0.0, 600.0, 60.0), np.arange(3_000.0, 3_600.0, 60.0)])
    found = features(Window(3_600.0, {"pm25": (times, np.full(times.size, 30.0))}))
    assert found["pm25_hours_covered"] == pytest.approx(1_200.0 / 3_600.0)
    assert found["pm25_dose_ug_h_per_m3"] == pytest.approx(10.0)


def test_hours_with_less_than_three_quarters_have_no_mean() -> None:
    times = np.concatenate(
        [np.arange(0.0, 3_600.0, 60.0), np.arange(3_600.0, 6_300.0, 60.0), np.arange(7_200.0, 9_840.0, 60.0)]
    )
    found = features(Window(4 * 3_600.0, {"co2": (times, 500.0 + times / 3_600.0)}))
    assert found["co2_hour_count"] == 2.0
    assert found["co2_hour_max_ppm"] == pytest.approx(501.0 + 22.0 / 60.0)


def test_nowcast_and_daily_index_of_a_monitor_that_reports_by_the_hour() -> None:
    found = features(hourly_day([0.0] * 23 + [71.0]))
    assert found["nowcast_ug_per_m3"] == 35.5
    assert found["nowcast_aqi"] == 101.0
    assert found["pm25_24h_mean_ug_per_m3"] == pytest.approx(71.0 / 24.0)
    assert found["pm25_24h_aqi"] == 16.0
    assert (found["pm25_who_24h_exceeded"], found["pm25_hour_count"]) == (0.0, 24.0)
    assert features(hourly_day([400.0] * 24))["pm25_24h_aqi"] == 649.0


@pytest.mark.parametrize(("missing", "there"), [(6, True), (7, False)])
def test_the_day_needs_eighteen_hours(missing: int, there: bool) -> None:
    values = [20.0] * 24
    values[2 : 2 + missing] = [float("nan")] * missing
    found = features(hourly_day(values))
    assert np.isfinite(found["pm25_24h_mean_ug_per_m3"]) == there
    assert ("pm25_24h:too_few_hours" in reasons(hourly_day(values))) != there


def test_nowcast_is_refused_when_the_last_hours_are_missing() -> None:
    values = [20.0] * 22 + [float("nan")] * 2
    assert np.isnan(features(hourly_day(values))["nowcast_ug_per_m3"])
    assert "nowcast:too_few_hours" in reasons(hourly_day(values))


def test_the_highest_eight_hours() -> None:
    found = features(hourly_day([0.0] * 8 + [80.0] * 8 + [0.0] * 8))
    assert found["pm25_8h_max_ug_per_m3"] == 80.0
    two_missing = [0.0] * 8 + [80.0] * 2 + [float("nan")] * 2 + [80.0] * 4 + [0.0] * 8
    assert features(hourly_day(two_missing))["pm25_8h_max_ug_per_m3"] == 80.0
    three_missing = [0.0] * 8 + [80.0] * 2 + [float("nan")] * 3 + [80.0] * 3 + [0.0] * 8
    assert features(hourly_day(three_missing))["pm25_8h_max_ug_per_m3"] == 40.0


def test_a_correction_is_named_in_the_row_and_used_by_every_mean() -> None:
    one = window(DAY_S, every_s=600.0, pm25=[60.0] * 144, humid=[50.0] * 144)
    result = extract(one, settings=BARKJOHN)
    found = features(one, BARKJOHN)
    corrected = 0.524 * 60.0 - 0.0862 * 50.0 + 5.75
    assert result.pm25_correction_method == ["barkjohn_2021"]
    assert found["pm25_mean_ug_per_m3"] == 60.0
    for name in ("pm25_corrected_mean_ug_per_m3", "pm25_24h_mean_ug_per_m3", "pm25_hour_max_ug_per_m3"):
        assert found[name] == pytest.approx(corrected)
    assert found["nowcast_ug_per_m3"] == 32.8


def test_without_humidity_nothing_is_corrected_and_the_row_says_so() -> None:
    one = window(DAY_S, every_s=600.0, pm25=[60.0] * 144)
    result = extract(one, settings=BARKJOHN)
    assert result.pm25_correction_method == ["none"]
    assert features(one, BARKJOHN)["pm25_24h_mean_ug_per_m3"] == pytest.approx(60.0)
    assert "pm25_correction:no_sensor" in result.reasons[0]
    assert "pm25_correction:no_method" in reasons(one)


def test_raw_and_corrected_readings_are_never_mixed_in_a_window() -> None:
    pm25 = (np.arange(0.0, 3_600.0, 60.0), np.full(60, 60.0))
    humid = (np.arange(0.0, 1_800.0, 60.0), np.full(30, 50.0))
    found = features(Window(3_600.0, {"pm25": pm25, "humid": humid}), BARKJOHN)
    assert found["pm25_dose_ug_h_per_m3"] / found["pm25_hours_covered"] == pytest.approx(32.88)


def test_particles_in_fog_are_flagged() -> None:
    found = features(window(60.0, pm25=[10.0] * 4, humid=[80.0, 85.0, 86.0, 99.0]))
    assert found["pm25_high_humidity_pct"] == 50.0


@pytest.mark.parametrize("rate", [0.3, 0.6, 1.0, 1.5])
def test_air_changes_of_a_night_are_found(rate: float) -> None:
    settings = EnvironmentSettings(room_volume_m3=90.0)
    found = features(night(rate), settings)
    assert found["air_changes_per_h"] == pytest.approx(rate, rel=0.05)
    assert found["air_changes_fitted_per_h"] == pytest.approx(rate, rel=0.05)
    assert found["air_changes_start_s"] == pytest.approx(6 * 3_600.0, abs=1_200.0)
    assert found["ventilation_l_per_s"] == pytest.approx(found["air_changes_per_h"] * 25.0)


def test_ventilation_per_person_at_the_steady_level_of_the_afternoon() -> None:
    found = features(night(0.6, peak_ppm=1_420.0))
    assert found["steady_co2_ppm"] == pytest.approx(1_420.0, abs=1.0)
    assert found["ventilation_per_person_l_per_s"] == pytest.approx(5.2, abs=0.01)
    assert "ventilation:no_room_volume" in reasons(night(0.6))


def refused_night(name: str) -> Window:
    made = {
        "small_drop": night(0.6, peak_ppm=600.0),
        "background_too_high": night(0.6, background_ppm=800.0),
        "background_not_reached": night(0.3, hours=11.0),
        "window_too_short": night(0.6, hours=3.9),
    }
    if name in made:
        return made[name]
    time_s = np.arange(0.0, DAY_S, 60.0)
    if name == "not_a_decay":
        return Window(DAY_S, {"co2": (time_s, 1_400.0 - 950.0 * np.clip((time_s - 21_600.0) / 10_800.0, 0.0, 1.0))})
    hourly = np.arange(0.0, DAY_S, 3_600.0)
    return Window(DAY_S, {"co2": (hourly, 430.0 + 900.0 * np.exp(-0.5 * np.maximum(hourly / 3_600.0 - 6.0, 0.0)))})


@pytest.mark.parametrize(
    "reason",
    [
        "small_drop",
        "background_too_high",
        "background_not_reached",
        "window_too_short",
        "not_a_decay",
        "too_few_readings",
    ],
)
def test_a_night_that_proves_nothing_is_refused_by_name(reason: str) -> None:
    found = features(refused_night(reason), EnvironmentSettings(room_volume_m3=90.0))
    assert np.isnan(found["air_changes_per_h"])
    assert np.isnan(found["ventilation_l_per_s"])
    assert f"air_changes:{reason}" in reasons(refused_night(reason))


def test_breath_on_the_sensor_at_night_does_not_end_the_night() -> None:
    quiet = night(0.5)
    time_s, co2 = quiet.readings["co2"]
    breath = co2.copy()
    breath[600:604] = [1_365.0, 894.0, 1_101.0, 1_165.0]
    found = features(Window(DAY_S, {"co2": (time_s, breath)}))
    assert found["air_changes_per_h"] == pytest.approx(0.5, rel=0.03)


def test_every_reason_belongs_to_a_group() -> None:
    for reason in reasons(window(60.0)):
        group, _, code = reason.partition(":")
        assert group in ENVIRONMENT_GROUPS
        assert code in set(EnvironmentReason)


def test_settings_name_every_bad_value() -> None:
    with pytest.raises(SettingsError, match=r"outdoor_co2_ppm=5 .*; .*room_volume_m3=-1"):
        EnvironmentSettings(outdoor_co2_ppm=5.0, room_volume_m3=-1.0)
    with pytest.raises(SettingsError, match="pressure_hpa=nan"):
        EnvironmentSettings(pressure_hpa=float("nan"))
