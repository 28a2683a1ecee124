"""Formulas of air and air quality at known answers and by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.environment.air_quality import correct_barkjohn_2021, nowcast_pm25, pm25_aqi, truncate_to_tenth
from udfs.environment.comfort import heat_index_degc, heat_index_f, humidex_degc, wet_bulb_degc
from udfs.environment.psychrometrics import (
    absolute_humidity_g_per_m3,
    dew_point_degc,
    humidity_ratio_kg_per_kg,
    saturation_pressure_ashrae_hpa,
    saturation_pressure_hpa,
    vapour_pressure_deficit_kpa,
    vapour_pressure_hpa,
)
from udfs.environment.ventilation import (
    fit_free_decay,
    fit_log_decay,
    rebreathed_fraction,
    steady_level,
    ventilation_l_per_s,
    ventilation_per_person_l_per_s,
)

temperatures = st.floats(-45.0, 60.0)
humidities = st.floats(1.0, 100.0)


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_air_at_25_degc_and_50_percent() -> None:
    vapour = vapour_pressure_hpa(one(25.0), one(50.0))
    assert dew_point_degc(one(25.0), one(50.0))[0] == pytest.approx(13.852, abs=5e-4)
    assert absolute_humidity_g_per_m3(one(25.0), vapour)[0] == pytest.approx(11.483, abs=5e-4)
    assert vapour_pressure_deficit_kpa(one(25.0), vapour)[0] == pytest.approx(1.580, abs=5e-4)
    # ASHRAE Fundamentals: 0.00988 kg/kg at 25 degC, 50 %, 101.325 kPa.
    ashrae = saturation_pressure_ashrae_hpa(one(25.0)) * 0.5
    assert humidity_ratio_kg_per_kg(ashrae, 1013.25)[0] == pytest.approx(0.00988, abs=5e-6)


def test_below_freezing_the_dew_point_is_over_water() -> None:
    assert dew_point_degc(one(-10.0), one(70.0))[0] == pytest.approx(-14.439, abs=5e-4)


def test_dew_point_of_air_without_vapour_is_missing() -> None:
    assert np.isnan(dew_point_degc(one(20.0), one(0.0))[0])


def test_humidity_ratio_of_boiling_water_is_missing() -> None:
    assert np.isnan(humidity_ratio_kg_per_kg(one(1_100.0), 1013.25)[0])


@given(temperatures, humidities)
def test_dew_point_is_where_the_same_vapour_saturates(temp: float, humid: float) -> None:
    dew_point = dew_point_degc(one(temp), one(humid))
    assert dew_point[0] <= temp + 1e-9
    assert saturation_pressure_hpa(dew_point)[0] == pytest.approx(
        vapour_pressure_hpa(one(temp), one(humid))[0], rel=1e-9
    )


@given(temperatures)
def test_the_two_saturation_formulas_agree_within_half_a_percent(temp: float) -> None:
    assert saturation_pressure_ashrae_hpa(one(temp))[0] == pytest.approx(
        saturation_pressure_hpa(one(temp))[0], rel=0.0051
    )


@pytest.mark.parametrize(
    ("temp_f", "humid", "index_f"),
    [(90.0, 70.0, 105.92), (86.0, 90.0, 105.39), (100.0, 10.0, 94.12), (75.0, 50.0, 74.78)],
)
def test_heat_index_of_the_weather_service(temp_f: float, humid: float, index_f: float) -> None:
    assert heat_index_f(one(temp_f), one(humid))[0] == pytest.approx(index_f, abs=0.005)


def test_heat_index_adjustments_are_continuous_where_they_begin() -> None:
    humid = heat_index_f(np.full(2, 84.0), np.array([85.0, 85.0 + 1e-9]))
    dry = heat_index_f(np.full(2, 95.0), np.array([13.0, 13.0 - 1e-9]))
    assert humid[0] == pytest.approx(humid[1], abs=1e-6)
    assert dry[0] == pytest.approx(dry[1], abs=1e-6)


def test_heat_index_ends_where_steadmans_table_ends() -> None:
    assert np.isnan(heat_index_degc(one(50.5), one(20.0))[0])
    assert np.isfinite(heat_index_degc(one(50.0), one(20.0))[0])


def test_wet_bulb_of_stull_s_own_example() -> None:
    assert wet_bulb_degc(one(20.0), one(50.0))[0] == pytest.approx(13.7, abs=0.05)
    outside = wet_bulb_degc(np.array([-21.0, 51.0, 20.0, 20.0]), np.array([50.0, 50.0, 4.0, 99.5]))
    assert np.isnan(outside).all()


def test_humidex_of_environment_canada() -> None:
    # 30 degC with a dew point of 15 degC feels like 34 (Canadian climate glossary).
    assert humidex_degc(one(30.0), saturation_pressure_hpa(one(15.0)))[0] == pytest.approx(34.0, abs=0.5)


AQI = {
    0.0: 0, 6.0: 33, 9.0: 50, 9.1: 51, 12.0: 56, 35.4: 100, 35.5: 101, 55.4: 150, 55.5: 151, 100.0: 182, 125.4: 200,
    150.0: 225, 225.4: 300, 225.5: 301, 300.0: 449, 325.4: 500, 400.0: 649,
}  # fmt: skip


@pytest.mark.parametrize(("mean", "index"), AQI.items())
def test_air_quality_index_of_2024(mean: float, index: int) -> None:
    assert pm25_aqi(one(mean))[0] == index


def test_concentrations_are_cut_not_rounded() -> None:
    assert pm25_aqi(np.array([9.09, 35.49, 55.4999])).tolist() == [50.0, 100.0, 150.0]
    assert truncate_to_tenth(np.array([35.4, 0.3, 8.99, 12.0])).tolist() == [35.4, 0.3, 8.9, 12.0]


def test_index_of_nothing_and_of_a_negative_mean_is_missing() -> None:
    assert np.isnan(pm25_aqi(np.array([np.nan, -0.1, -5.0]))).all()


@given(st.integers(0, 100_000))
def test_every_tenth_has_an_index_that_never_falls(tenths: int) -> None:
    index = pm25_aqi(np.array([tenths / 10.0, (tenths + 1) / 10.0]))
    assert np.isfinite(index).all()
    assert index[0] <= index[1]


def hours(*values: float) -> np.ndarray:
    """Latest hour first; what is not given is missing."""
    return np.array([[*values, *[np.nan] * (12 - len(values))]])


NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        (hours(71.0, *[0.0] * 11), 35.5),
        (hours(*[10.0] * 12), 10.0),
        (hours(*[0.0] * 12), 0.0),
        (hours(20.0, 20.0), 20.0),
        (hours(20.0, NAN, 20.0), 20.0),
        (hours(NAN, 20.0, 20.0), 20.0),
        # w = 0.5: (40 + 0.25 * 10) / (1 + 0.25), the missing hour still counts as an hour ago.
        (hours(40.0, NAN, 10.0), 34.0),
        # w = 15/20 = 0.75: (20 + 0.75 * 15) / 1.75 = 17.857..., cut.
        (hours(20.0, 15.0), 17.8),
    ],
)
def test_nowcast(row: np.ndarray, answer: float) -> None:
    assert nowcast_pm25(row)[0] == pytest.approx(answer, abs=1e-9)


@pytest.mark.parametrize(
    "row", [hours(20.0), hours(NAN, NAN, 20.0, *[20.0] * 9), hours(20.0, NAN, NAN, *[20.0] * 9), hours()]
)
def test_nowcast_needs_two_of_the_latest_three_hours(row: np.ndarray) -> None:
    assert np.isnan(nowcast_pm25(row)[0])


@given(st.lists(st.floats(0.0, 2_000.0), min_size=12, max_size=12))
def test_nowcast_lies_within_its_hours(values: list[float]) -> None:
    nowcast = nowcast_pm25(np.array([values]))[0]
    assert min(values) - 0.1 - 1e-6 <= nowcast <= max(values) + 1e-6


def test_barkjohn_correction() -> None:
    corrected = correct_barkjohn_2021(np.array([50.0, 0.0]), np.array([40.0, 100.0]))
    assert corrected[0] == pytest.approx(0.524 * 50.0 - 0.0862 * 40.0 + 5.75)
    assert corrected[1] == 0.0


def test_rebreathed_air_and_ventilation() -> None:
    assert rebreathed_fraction(np.array([1_180.0, 300.0]), 420.0).tolist() == [0.02, 0.0]
    assert ventilation_per_person_l_per_s(one(1_000.0), 420.0, 0.0052)[0] == pytest.approx(8.966, abs=5e-4)
    assert np.isnan(ventilation_per_person_l_per_s(one(400.0), 420.0, 0.0052)[0])
    assert ventilation_l_per_s(one(0.5), 72.0)[0] == pytest.approx(10.0)


@given(st.floats(0.1, 5.0), st.floats(350.0, 600.0), st.floats(100.0, 3_000.0))
def test_an_exact_decay_gives_its_rate_back(rate: float, background: float, amplitude: float) -> None:
    time_h = np.arange(0.0, 2.0, 1.0 / 60.0)
    co2 = background + amplitude * np.exp(-rate * time_h)
    line = fit_log_decay(time_h, co2, background)
    assert line.rate_per_h == pytest.approx(rate, rel=1e-4)
    assert line.r2 == pytest.approx(1.0, abs=1e-6)
    free = fit_free_decay(time_h, co2)
    assert free is not None
    assert free.rate_per_h == pytest.approx(rate, rel=1e-3)
    assert free.background_ppm == pytest.approx(background, abs=0.02 * amplitude)


def test_a_level_at_or_below_the_background_has_no_line() -> None:
    line = fit_log_decay(np.arange(5.0), np.array([900.0, 800.0, 500.0, 420.0, 400.0]), 420.0)
    assert np.isnan(line.rate_per_h)
    assert np.isnan(line.r2)


def test_what_does_not_change_has_no_decay() -> None:
    assert fit_free_decay(np.arange(10.0), np.full(10, 500.0)) is None
    assert fit_free_decay(np.arange(3.0), np.array([3.0, 2.0, 1.0])) is None
    assert np.isnan(fit_log_decay(np.arange(10.0), np.full(10, 500.0), 400.0).r2)


def test_steady_level_is_the_highest_of_three_even_hours() -> None:
    rows = np.array(
        [
            [600.0, 900.0, 1_000.0, 1_010.0, 1_005.0, 700.0],
            [600.0, 700.0, 800.0, 900.0, 1_000.0, 1_100.0],
            [450.0, 451.0, 452.0, 450.0, 450.0, 450.0],
            [1_000.0, np.nan, 1_000.0, 1_000.0, np.nan, 1_000.0],
        ]
    )
    levels = steady_level(rows, 420.0)
    assert levels[0] == pytest.approx(1_005.0)
    assert np.isnan(levels[1:]).all()
