"""The power features: every column that `udfs.power` fills, in order, and the supply they are judged against.

A quantity of a phase has three columns, l1, l2 and l3; the channel `value` of a single-phase device is l1. "Worst
phase" is the largest value among the phases. Voltage limits are in % of the declared voltage `Supply.nominal_volt`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from schemas.features import Feature
from schemas.power_current import CURRENT, POWER
from schemas.power_metering import COUNTER, DEMAND
from schemas.power_voltage import EVENTS, VOLTAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the supply promises: the reference of events, compliance and counter checks.

    Attributes:
        nominal_volt: declared RMS voltage between phase and neutral, U_din; None = unknown, then no events.
        nominal_frequency_hz: 50 or 60; None = taken from the data.
        dip_start_pct, swell_start_pct, hysteresis_pct: EN 50160 and IEC 61000-4-30.
        interruption_pct: 5 by EN 50160; 10 by IEEE 1159.
        contract_power_watt: the most the connection can draw; None = the range of a WATT sensor. A counter that
            runs faster is not believed.
        reading_gap_cap_s: neighbouring readings of power further apart are not joined: nothing is known between.
    """

    nominal_volt: float | None = 230.0
    nominal_frequency_hz: float | None = None
    dip_start_pct: float = 90.0
    swell_start_pct: float = 110.0
    hysteresis_pct: float = 2.0
    interruption_pct: float = 5.0
    contract_power_watt: float | None = None
    reading_gap_cap_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse what no supply is.

        Raises:
            ValueError: naming the attribute.
        """
        if self.nominal_frequency_hz not in (None, 50.0, 60.0):
            raise ValueError(f"nominal_frequency_hz={self.nominal_frequency_hz}: 50, 60 or None")
        for name in ("nominal_volt", "contract_power_watt", "reading_gap_cap_s"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name}={value}: not a positive number")


class PowerGroup(StrEnum):
    """The group of features that a reason speaks of: the part before the colon."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    HARMONICS = "harmonics"
    UNBALANCE = "unbalance"
    VOLTAGE_EVENTS = "voltage_events"
    FLICKER = "flicker"
    POWER = "power"
    INRUSH = "inrush"
    ENERGY = "energy"
    DEMAND = "demand"
    COUNTER = "counter"
    CROSS_CHECK = "cross_check"


class PowerReason(StrEnum):
    """Why values of a group are missing or limited: the part behind the colon."""

    NO_SENSOR = "no_sensor"
    """The window holds no data of the sensor."""
    NO_SAMPLES = "no_samples"
    """Every sample is lost or not a number."""
    WRONG_SHAPE = "wrong_shape"
    """The arrays do not fit each other or the channels."""
    WRONG_RATE = "wrong_rate"
    """The sample rate is not a positive number, or the times are not in order."""
    NO_FUNDAMENTAL = "no_fundamental"
    """The waveform holds no sine of 42.5 to 69 Hz: direct voltage, noise or a stuck sensor."""
    NEGATIVE_READINGS = "negative_readings"
    """Too slow for a waveform, and RMS readings cannot be negative."""
    SATURATED = "saturated"
    """More than a tenth of the samples sit at one end of the range: shape (crest, harmonics) is unknown."""
    NEEDS_WAVEFORM = "needs_waveform"
    """The sensor sends readings of a meter, below 20 samples per cycle."""
    WINDOW_TOO_SHORT = "window_too_short"
    """The data cover less time than the quantity is defined on."""
    TOO_MANY_GAPS = "too_many_gaps"
    """Lost samples leave no whole cycle, block or interval."""
    SINGLE_CYCLE_WINDOW = "single_cycle_window"
    """Shorter than 10/12 cycles: harmonics are those of single cycles, without interharmonics."""
    BAND_LIMITED = "band_limited"
    """The sample rate does not reach order 40; `harmonic_order_max` says how far it goes."""
    NOT_THREE_PHASE = "not_three_phase"
    """Needs L1, L2 and L3."""
    REVERSED_SEQUENCE = "reversed_sequence"
    """L1, L2, L3 follow each other the wrong way round: two of them are swapped."""
    NO_NOMINAL = "no_nominal_voltage"
    """No declared voltage is set."""
    RATES_DIFFER = "rates_differ"
    """VOLT and AMP have different sample rates, or one is a waveform and the other is not."""
    NOT_ALIGNED = "not_aligned"
    """VOLT and AMP do not overlap, or their instants differ by more than 1 degree of the cycle."""
    PHASES_DIFFER = "phases_differ"
    """VOLT and AMP do not have the same phases: no totals."""
    INCONSISTENT = "inconsistent"
    """The WATT sensor reads more than voltage and current can carry: no power factor."""
    ZERO_CURRENT = "zero_current"
    """No current at all: factors and distortion of nothing are undefined."""
    NO_SWITCH_ON = "no_switch_on"
    """The current never rises from off to on within the window."""
    TOO_FEW_READINGS = "too_few_readings"
    """Fewer than two usable readings."""
    ROLLOVER_UNKNOWN = "rollover_unknown"
    """The register's digits are not given: a rollover cannot be told from a reset."""
    LOW_COVERAGE = "low_coverage"
    """Less than 95 % of the time between the first and last counter reading has a known power."""


def reason_text(group: PowerGroup, reason: PowerReason) -> str:
    """The reason as a row carries it, such as "flicker:window_too_short"."""
    return f"{group.value}:{reason.value}"


POWER_FEATURES: tuple[Feature, ...] = (*VOLTAGE, *EVENTS, *CURRENT, *POWER, *DEMAND, *COUNTER)
"""Every power feature in order."""

POWER_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in POWER_FEATURES)
