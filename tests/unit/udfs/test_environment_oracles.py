"""The environment functions against other libraries and against published values of real recordings."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import metpy.calc as metpy
import numpy as np
import psychrolib
import pytest
import thermofeel
from hypothesis import given
from hypothesis import strategies as st
from metpy.units import units

from schemas.environment import ENVIRONMENT_FEATURE_NAMES, EnvironmentSettings
from tests.builders_environment import Window, extract, features, reasons
from udfs.environment.air_quality import AQI_BREAKPOINTS
from udfs.environment.comfort import heat_index_degc, wet_bulb_degc
from udfs.environment.psychrometrics import (
    ZERO_DEGC_KELVIN,
    absolute_humidity_g_per_m3,
    dew_point_degc,
    humidity_ratio_kg_per_kg,
    saturation_pressure_ashrae_hpa,
    saturation_pressure_hpa,
    vapour_pressure_deficit_kpa,
    vapour_pressure_hpa,
)
from udfs.environment.ventilation import fit_log_decay

DAY_S = 86_400.0
ATMOSPHERE_PA = 101_325.0


@pytest.fixture(autouse=True)
def si_units() -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)


@given(st.floats(0.1, 60.0), st.floats(1.0, 100.0))
def test_moist_air_agrees_with_psychrolib(temp: float, humid: float) -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    degc, pct = np.array([temp]), np.array([humid])
    vapour = vapour_pressure_hpa(degc, pct)
    # Magnus against Hyland & Wexler: 0.3 % in pressure.
    assert vapour[0] * 100.0 == pytest.approx(psychrolib.GetVapPresFromRelHum(temp, humid / 100.0), rel=0.003)
    ratio = psychrolib.GetHumRatioFromRelHum(temp, humid / 100.0, ATMOSPHERE_PA)
    deficit = psychrolib.GetVaporPressureDeficit(temp, ratio, ATMOSPHERE_PA) / 1_000.0
    assert vapour_pressure_deficit_kpa(degc, vapour)[0] == pytest.approx(deficit, rel=0.0035, abs=1e-6)
    ashrae = saturation_pressure_ashrae_hpa(degc) * humid / 100.0
    found = humidity_ratio_kg_per_kg(ashrae, ATMOSPHERE_PA / 100.0)[0]
    # psychrolib never goes below 1e-7 kg/kg.
    assert found == pytest.approx(ratio, rel=1e-6, abs=1e-7)


@given(st.floats(0.1, 60.0), st.floats(1.0, 100.0))
def test_dew_points_above_freezing_agree_with_psychrolib(temp: float, humid: float) -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    theirs = psychrolib.GetTDewPointFromRelHum(temp, humid / 100.0)
    # Below 0.01 degC psychrolib goes over ice.
    if theirs > 0.01:
        assert dew_point_degc(np.array([temp]), np.array([humid]))[0] == pytest.approx(theirs, abs=0.1)


def test_below_freezing_ours_is_over_water_and_psychrolib_over_ice() -> None:
    ours = dew_point_degc(np.array([-10.0]), np.array([70.0]))[0]
    theirs = psychrolib.GetTDewPointFromRelHum(-10.0, 0.7)
    over_ice = psychrolib.GetSatVapPres(-10.0) * 0.7 / 100.0
    assert theirs == pytest.approx(-13.957, abs=1e-3)
    assert ours == pytest.approx(-14.439, abs=1e-3)
    # Ours at the same vapour pressure over water: the formulas differ by the phase alone.
    assert saturation_pressure_hpa(np.array([ours]))[0] > over_ice


@given(st.floats(-40.0, 50.0), st.floats(5.0, 100.0))
def test_dew_points_over_water_agree_with_metpy(temp: float, humid: float) -> None:
    theirs = metpy.dewpoint_from_relative_humidity(temp * units.degC, humid * units.percent).m_as("degC")
    assert dew_point_degc(np.array([temp]), np.array([humid]))[0] == pytest.approx(theirs, abs=0.25)


@given(st.floats(-30.0, 50.0), st.floats(5.0, 100.0))
def test_absolute_humidity_agrees_with_the_density_of_metpy(temp: float, humid: float) -> None:
    vapour = vapour_pressure_hpa(np.array([temp]), np.array([humid]))
    ratio = metpy.mixing_ratio(vapour[0] * units.hPa, 1013.25 * units.hPa)
    dry = metpy.density(1013.25 * units.hPa, temp * units.degC, ratio).m_as("kg/m^3") / (1.0 + ratio.m)
    grams = 1_000.0 * ratio.m * dry
    assert absolute_humidity_g_per_m3(np.array([temp]), vapour)[0] == pytest.approx(grams, rel=1e-3)
    assert ratio.m == pytest.approx(humidity_ratio_kg_per_kg(vapour, 1013.25)[0], rel=1e-4)


def warm_air() -> tuple[np.ndarray, np.ndarray]:
    temp, humid = np.meshgrid(np.arange(27.0, 45.0, 0.5), np.arange(5.0, 100.0, 5.0))
    return temp.ravel(), humid.ravel()


def test_heat_index_agrees_with_metpy_where_both_use_the_regression() -> None:
    temp, humid = warm_air()
    theirs = metpy.heat_index(temp * units.degC, humid * units.percent, mask_undefined=False).m_as("degC")
    ours = heat_index_degc(temp, humid)
    regression = ours >= 26.7
    assert regression.sum() > 500
    # metpy takes the regression from a simple index of 79 F on, the weather service from 80 F.
    far = np.abs(ours - np.asarray(theirs)) > 0.001
    assert not far[regression & (temp >= 27.5)].any()


def test_heat_index_agrees_with_thermofeel() -> None:
    temp, humid = warm_air()
    dew_point = dew_point_degc(temp, humid) + ZERO_DEGC_KELVIN
    theirs = thermofeel.calculate_heat_index_adjusted(temp + ZERO_DEGC_KELVIN, dew_point) - ZERO_DEGC_KELVIN
    ours = heat_index_degc(temp, humid)
    above_80_f = ours > 26.7
    assert np.abs(ours - theirs)[above_80_f].max() < 0.15


def test_wet_bulb_is_within_stull_s_own_error_of_psychrolib() -> None:
    for temp in (0.0, 10.0, 20.0, 30.0, 40.0):
        for humid in (20.0, 50.0, 80.0, 95.0):
            theirs = psychrolib.GetTWetBulbFromRelHum(temp, humid / 100.0, ATMOSPHERE_PA)
            ours = wet_bulb_degc(np.array([temp]), np.array([humid]))[0]
            assert -1.0 <= ours - theirs <= 0.7


# Real recordings.


def occupancy(data: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Both files in order of time: time in s since the epoch, and the columns by name."""
    rows = []
    for name in ("datatest.txt.gz", "datatraining.txt.gz"):
        with gzip.open(data / "environment" / "uci_occupancy" / name, "rt") as lines:
            rows += list(csv.reader(lines))[1:]
    times = [datetime.strptime(row[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp() for row in rows]
    table = np.array([row[2:] for row in rows], dtype=np.float64)
    names = ("temp", "humid", "light", "co2", "humidity_ratio", "occupied")
    return np.array(times), dict(zip(names, table.T, strict=True))


def noon(day: int) -> float:
    return datetime(2015, 2, day, 12, tzinfo=UTC).timestamp()


def span(data: Path, begin_s: float, length_s: float) -> Window:
    times, columns = occupancy(data)
    inside = (times >= begin_s) & (times < begin_s + length_s)
    readings = {name: (times[inside] - begin_s, columns[name][inside]) for name in ("temp", "humid", "co2")}
    return Window(length_s, readings, round(begin_s * 1e6))


@pytest.mark.data
def test_humidity_ratio_of_every_row_of_the_occupancy_data(brain_data: Path) -> None:
    _, columns = occupancy(brain_data)
    vapour = saturation_pressure_ashrae_hpa(columns["temp"]) * columns["humid"] / 100.0
    ratio = humidity_ratio_kg_per_kg(vapour, ATMOSPHERE_PA / 100.0) / columns["humidity_ratio"]
    assert ratio.size == 2_665 + 8_143
    assert np.abs(ratio - 1.0).max() < 2e-4


@pytest.mark.data
def test_humidity_ratio_feature_of_one_minute_windows(brain_data: Path) -> None:
    times, columns = occupancy(brain_data)
    windows = [
        Window(60.0, {name: (np.zeros(1), columns[name][row : row + 1]) for name in ("temp", "humid")}, round(at * 1e6))
        for row, at in enumerate(times[:2_000])
    ]
    column = ENVIRONMENT_FEATURE_NAMES.index("humidity_ratio_mean_kg_per_kg")
    found = extract(*windows).values[:, column]
    assert np.abs(found / columns["humidity_ratio"][:2_000] - 1.0).max() < 2e-4


EMPTY_NIGHTS = {2: 0.617, 3: 0.496, 5: 0.960, 6: 0.970, 9: 0.451}


@pytest.mark.data
def test_published_air_changes_of_the_five_nights_from_their_labels(brain_data: Path) -> None:
    times, columns = occupancy(brain_data)
    empty = columns["occupied"] == 0
    found = {}
    for day in EMPTY_NIGHTS:
        left = int(np.flatnonzero(~empty & (times < noon(day) + DAY_S / 2))[-1]) + 1
        back = left + int(np.argmax(~empty[left:])) if (~empty[left:]).any() else times.size
        background = float(np.percentile(columns["co2"][left:back], 1.0)) - 5.0
        two_hours = slice(left, int(np.searchsorted(times, times[left] + 7_200.0)))
        line = fit_log_decay((times[two_hours] - times[left]) / 3_600.0, columns["co2"][two_hours], background)
        found[day] = float(line.rate_per_h)
        assert 0.9945 <= line.r2 <= 0.9985
    assert found == pytest.approx(EMPTY_NIGHTS, abs=6e-4)


@pytest.mark.data
@pytest.mark.parametrize(("day", "rate"), [(2, 0.617), (3, 0.496), (5, 0.960), (9, 0.451)])
def test_the_same_nights_are_found_without_labels(brain_data: Path, day: int, rate: float) -> None:
    found = features(span(brain_data, noon(day), DAY_S))
    assert found["air_changes_per_h"] == pytest.approx(rate, rel=0.02)
    assert 18.0 <= 12.0 + found["air_changes_start_s"] / 3_600.0 <= 18.25
    assert found["air_changes_r2"] > 0.99


@pytest.mark.data
def test_the_friday_night_depends_on_how_long_the_background_is_looked_for(brain_data: Path) -> None:
    """The published value takes its background from the whole weekend; one night alone ends 14 ppm higher."""
    weekend = features(span(brain_data, noon(6), 3 * DAY_S))
    night = features(span(brain_data, noon(6), DAY_S))
    assert weekend["air_changes_per_h"] == pytest.approx(0.970, rel=0.02)
    assert night["air_changes_per_h"] == pytest.approx(1.083, rel=0.02)


@pytest.mark.data
@pytest.mark.parametrize(("day", "reason"), [(4, "not_a_decay"), (7, "small_drop"), (8, "small_drop")])
def test_nights_that_fail_the_rules_are_refused(brain_data: Path, day: int, reason: str) -> None:
    """4 Feb falls by 150 ppm once the room is empty; 7 and 8 Feb are a weekend."""
    one = span(brain_data, noon(day), DAY_S)
    assert np.isnan(features(one)["air_changes_per_h"])
    assert f"air_changes:{reason}" in reasons(one)


@pytest.mark.data
def test_a_night_cut_at_midnight_before_the_co2_is_down_is_refused(brain_data: Path) -> None:
    one = span(brain_data, noon(9), DAY_S / 2)
    assert "air_changes:background_not_reached" in reasons(one)


def fire(data: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Time in s and PM2.5 [hours, monitors] of a wildfire, NaN for a missing hour."""
    with gzip.open(data / "environment" / "airnow_wildfire" / f"{name}_hourly_pm25_wide.csv.gz", "rt") as lines:
        rows = list(csv.reader(lines))[1:]
    times = np.array([datetime.fromisoformat(row[0]).timestamp() for row in rows])
    return times, np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows])


def plain_nowcast(latest_first: list[float]) -> float:
    """NowCast as its page says it, hour by hour in plain numbers."""
    known = [value for value in latest_first if not np.isnan(value)]
    if sum(not np.isnan(value) for value in latest_first[:3]) < 2:
        return float("nan")
    weight = 1.0 if max(known) == 0 else max(0.5, min(known) / max(known))
    pairs = [(weight**ago, value) for ago, value in enumerate(latest_first) if not np.isnan(value)]
    mean = sum(power * value for power, value in pairs) / sum(power for power, _ in pairs)
    return float(np.floor(mean * 10.0 + 1e-6) / 10.0)


def plain_aqi(mean: float) -> float:
    """The index from the table, beyond it with the slope of the last row."""
    cut = np.floor(mean * 10.0 + 1e-6) / 10.0
    row = next((row for row in AQI_BREAKPOINTS if cut <= row[1] + 1e-9), AQI_BREAKPOINTS[-1])
    return float(np.floor((row[3] - row[2]) / (row[1] - row[0]) * (cut - row[0]) + row[2] + 0.5))


@pytest.mark.data
@pytest.mark.parametrize(("name", "monitors"), [("NW_Megafires", 142), ("Carmel_Valley", 1)])
def test_nowcast_and_index_of_every_day_of_a_wildfire(brain_data: Path, name: str, monitors: int) -> None:
    times, table = fire(brain_data, name)
    assert table.shape[1] == monitors
    windows, expected = [], []
    for monitor in range(monitors):
        for first in range(0, len(times) - 23, 24):
            hours = table[first : first + 24, monitor]
            there = ~np.isnan(hours)
            if there.sum() < 2:
                continue
            offsets = (times[first : first + 24] - times[first])[there]
            windows.append(Window(DAY_S, {"pm25": (offsets, hours[there])}, round(times[first] * 1e6)))
            mean = float(np.mean(hours[there])) if there.sum() >= 18 else float("nan")
            expected.append((plain_nowcast(hours[::-1][:12].tolist()), mean))
    result = extract(*windows)
    column = ENVIRONMENT_FEATURE_NAMES.index
    nowcast, mean = np.array(expected).T
    assert np.array_equal(result.values[:, column("nowcast_ug_per_m3")], nowcast, equal_nan=True)
    assert np.allclose(result.values[:, column("pm25_24h_mean_ug_per_m3")], mean, rtol=1e-12, equal_nan=True)
    for index, concentration in (("nowcast_aqi", nowcast), ("pm25_24h_aqi", mean)):
        found = result.values[:, column(index)]
        assert np.array_equal(found[~np.isnan(found)], [plain_aqi(value) for value in concentration[~np.isnan(found)]])
    if name == "NW_Megafires":
        assert len(windows) > 4_000
        assert (result.values[:, column("pm25_24h_aqi")] > 500).sum() == 4
        assert (np.isnan(nowcast)).sum() > 10


@pytest.mark.data
def test_pegged_and_impossible_humidity_of_a_cheap_sensor(brain_data: Path) -> None:
    path = next((brain_data / "environment" / "sds011_dht22").glob("Bike*20201017*.csv"))
    rows = list(csv.reader(path.read_text().splitlines()))[5:]
    humid = np.array([float(row[4]) for row in rows])
    found = features(
        Window(humid.size * 5.0, {"humid": (np.arange(humid.size) * 5.0, humid)}),
        EnvironmentSettings(humid_pegged_pct=99.9),
    )
    finite = humid[np.isfinite(humid)]
    assert found["humid_out_of_range_pct"] == pytest.approx(100.0 * np.mean(finite > 100.0))
    inside = finite[finite <= 100.0]
    assert found["humid_saturated_pct"] == pytest.approx(100.0 * np.mean(inside >= 99.9))
