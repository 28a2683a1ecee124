from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.units import Conversions, channel_unit, conversion, known_units
from schemas.sensors import SENSORS


def _convert(value: float, raw: str, target: str, scale: float = 1.0, offset: float = 0.0) -> float:
    found = conversion(raw, target)
    assert found is not None
    return float(Conversions([found.after(scale, offset)])(np.array([[value]]))[0, 0])


@pytest.mark.parametrize(
    ("value", "raw", "target", "want"),
    [
        (212.0, "degF", "degC", 100.0),
        (-40.0, "degF", "degC", -40.0),
        (300.15, "K", "degC", 27.0),
        (21.5, "°C", "degC", 21.5),
        (100.0, "kgf", "N", 980.665),
        (1.0, "lbf", "N", 4.4482216152605),
        (2.5, "kN", "N", 2_500.0),
        (12.0, "N/cm2", "kPa", 120.0),
        (760.0, "mmHg", "kPa", 101.3250144354),
        (14.0, "psi", "kPa", 96.526602),
        (1_013.25, "hPa", "kPa", 101.325),
        (230_000.0, "mV", "V", 230.0),
        (1_500.0, "mA", "A", 1.5),
        (1.2, "kW", "W", 1_200.0),
        (123_456.0, "Wh", "kWh", 123.456),
        (3.6, "MJ", "kWh", 1.0),
        (0.45, "1", "%", 45.0),
        (0.08, "%", "ppm", 800.0),
        (0.035, "mg/m3", "ug/m3", 35.0),
        (12.0, "µg/m³", "ug/m3", 12.0),
        (10.0, "Ncm", "Nm", 0.1),
    ],
)
def test_conversions_are_exact_to_the_last_digits(value: float, raw: str, target: str, want: float) -> None:
    assert _convert(value, raw, target) == pytest.approx(want, rel=1e-7, abs=0.0)


@pytest.mark.parametrize(
    ("value", "scale", "raw", "target", "want"),
    [
        (3.0, 0.1, "degC", "degC", 0.3),
        (2_552.0, 0.1, "degF", "degC", 124.0),
        (2_301.0, 0.1, "V", "V", 230.1),
        (7.0, 0.01, "%", "%", 0.07),
    ],
)
def test_a_scale_counts_by_its_decimal_digits(value: float, scale: float, raw: str, target: str, want: float) -> None:
    # 3 x 0.1 is 0.30000000000000004 with binary numbers.
    assert _convert(value, raw, target, scale) == want


def test_an_offset_is_in_the_raw_unit() -> None:
    assert _convert(0.0, "degF", "degC", scale=1.0, offset=32.0) == 0.0
    assert _convert(4.0, "mA", "A", scale=2.0, offset=-8.0) == 0.0


@given(st.floats(-1e6, 1e6), st.sampled_from([("degF", "degC"), ("lbf", "N"), ("psi", "kPa"), ("kJ", "kWh")]))
def test_conversion_agrees_with_fractions(value: float, units: tuple[str, str]) -> None:
    found = conversion(*units)
    assert found is not None
    exact = Fraction(value) * found.factor + found.offset
    assert _convert(value, *units) == pytest.approx(float(exact), rel=1e-12, abs=1e-9)


def test_units_that_measure_something_else_have_no_conversion() -> None:
    assert conversion("kPa", "degC") is None
    assert conversion("degc", "degC") is None
    assert conversion("mV", "A") is None


def test_every_unit_of_the_catalogue_converts_into_itself() -> None:
    for sensor in SENSORS.values():
        for channel in sensor.channel_names:
            unit = channel_unit(sensor.sensor_type, channel, sensor.unit)
            assert unit in known_units(unit)
            assert _convert(1.5, unit, unit) == 1.5


def test_a_plate_has_forces_and_moments() -> None:
    assert channel_unit("FORCE_PLATE", "Fz", "N,Nm") == "N"
    assert channel_unit("FORCE_PLATE", "Mx", "N,Nm") == "Nm"


def test_a_value_no_float_holds_is_infinite_and_not_an_error() -> None:
    assert _convert(1e308, "kgf", "N") == float("inf")
