"""Units of raw values and their exact conversion into the units of the sensor catalogue.

A table of our own: a library of all units would also take "kPa" for "kilo-Pascal-anything", and what a device sends is
one of a few dozen. Factors are exact by definition (SI, NIST SP 811) and kept as fractions until the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from schemas.sensors import PLATE_SENSOR

_POUND_FORCE = Fraction("4.4482216152605")
_STANDARD_GRAVITY = Fraction("9.80665")
_KELVIN_OF_0_DEGC = Fraction("273.15")

_FACTORS: dict[str, dict[str, Fraction | int]] = {
    "N": {
        "N": 1,
        "mN": Fraction(1, 1_000),
        "kN": 1_000,
        "kgf": _STANDARD_GRAVITY,
        "gf": _STANDARD_GRAVITY / 1_000,
        "lbf": _POUND_FORCE,
    },
    "Nm": {
        "Nm": 1,
        "Nmm": Fraction(1, 1_000),
        "Ncm": Fraction(1, 100),
        "kNm": 1_000,
        "lbf.ft": _POUND_FORCE * Fraction("0.3048"),
        "lbf.in": _POUND_FORCE * Fraction("0.0254"),
    },
    "kPa": {
        "kPa": 1,
        "Pa": Fraction(1, 1_000),
        "hPa": Fraction(1, 10),
        "MPa": 1_000,
        "mbar": Fraction(1, 10),
        "bar": 100,
        "N/cm2": 10,
        "kgf/cm2": _STANDARD_GRAVITY * 10,
        "mmHg": Fraction("0.133322387415"),
        "psi": _POUND_FORCE / Fraction("0.0254") ** 2 / 1_000,
    },
    "V": {"V": 1, "mV": Fraction(1, 1_000), "uV": Fraction(1, 1_000_000), "kV": 1_000},
    "A": {"A": 1, "mA": Fraction(1, 1_000), "uA": Fraction(1, 1_000_000), "kA": 1_000},
    "W": {"W": 1, "mW": Fraction(1, 1_000), "kW": 1_000, "MW": 1_000_000},
    "kWh": {
        "kWh": 1,
        "Wh": Fraction(1, 1_000),
        "MWh": 1_000,
        "GWh": 1_000_000,
        "J": Fraction(1, 3_600_000),
        "kJ": Fraction(1, 3_600),
        "MJ": Fraction(10, 36),
        "GJ": Fraction(10_000, 36),
    },
    "degC": {"degC": 1, "degF": Fraction(5, 9), "K": 1},
    "%": {"%": 1, "1": 100, "permille": Fraction(1, 10)},
    "ppm": {"ppm": 1, "ppb": Fraction(1, 1_000), "%": 10_000},
    "ug/m3": {"ug/m3": 1, "mg/m3": 1_000, "ng/m3": Fraction(1, 1_000)},
    "raw": {"raw": 1},
}
"""Unit of the catalogue -> unit of a raw value -> factor."""

_OFFSETS = {("degC", "degF"): Fraction(-160, 9), ("degC", "K"): -_KELVIN_OF_0_DEGC}
_SAME = {"°": "deg", "µ": "u", "μ": "u", "³": "3", "²": "2", "·": "."}
"""How people write them -> as they stand in the table."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A raw value's way into another unit: `raw x factor + offset`, exactly."""

    factor: Fraction
    offset: Fraction

    def after(self, scale: float, offset: float) -> Conversion:
        """The conversion of `value x scale + offset`, in one step so that nothing is rounded twice."""
        # By their decimal digits: a scale of 0.1 means a tenth, not the binary number beside it.
        given_scale, given_offset = Fraction(repr(scale)), Fraction(repr(offset))
        return Conversion(self.factor * given_scale, self.factor * given_offset + self.offset)


class Conversions:
    """Conversions of several channels at once.

    A value is (raw x a + b) / c with whole numbers: 3 tenths are 0.3 then, and 212 degF are 100 degC, where a product
    with 0.1 or 5/9 would be off in the last digit.
    """

    def __init__(self, conversions: Sequence[Conversion]) -> None:
        denominators = [lcm(one.factor.denominator, one.offset.denominator) for one in conversions]
        pairs = list(zip(conversions, denominators, strict=True))
        self._factors = np.array([float(one.factor * denominator) for one, denominator in pairs])
        self._offsets = np.array([float(one.offset * denominator) for one, denominator in pairs])
        self._denominators = np.array([float(denominator) for denominator in denominators])

    def __call__(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of raw ones, both of shape [n, channels]; one that no float holds becomes infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            values: NDArray[np.float64] = (raw * self._factors + self._offsets) / self._denominators
        return values


def channel_unit(sensor_type: str, channel: str, unit: str) -> str:
    """The unit of one channel; a force plate has forces in N and moments in Nm."""
    if sensor_type == PLATE_SENSOR:
        return "Nm" if channel.startswith("M") else "N"
    return unit


def known_units(target: str) -> Iterable[str]:
    """The units from which there is a conversion into `target`."""
    return _FACTORS.get(target, {target: 1}).keys()


def conversion(raw: str, target: str) -> Conversion | None:
    """How a value in the unit `raw` becomes one in `target`; None if the two do not measure the same."""
    unit = raw
    for written, plain in _SAME.items():
        unit = unit.replace(written, plain)
    factor = _FACTORS.get(target, {target: 1}).get(unit)
    if factor is None:
        return None
    return Conversion(Fraction(factor), Fraction(_OFFSETS.get((target, unit), 0)))
