"""Flicker against the performance tables of IEC 61000-4-15 (tolerance of the standard: 5 %), and its refusals."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.power import PowerReason, Supply
from tests.builders_power import describe, sine
from udfs.power import PhaseSignal, PowerWindow
from udfs.power.flicker import (
    LAMP_120,
    LAMP_230,
    instantaneous_sensation,
    long_term_flicker,
    short_term_flicker,
)

RATE_HZ = 1_000.0


def modulated(hz: float, volt: float, envelope: np.ndarray) -> np.ndarray:
    return sine(volt, hz=hz, seconds=len(envelope) / RATE_HZ, rate_hz=RATE_HZ) * envelope


def time_s(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def rectangular(changes_per_minute: float, change_pct: float) -> np.ndarray:
    phase = 2.0 * np.pi * changes_per_minute / 120.0 * time_s(600.0)
    return 1.0 + change_pct / 200.0 * np.sign(np.sin(phase + 1e-9))


@pytest.mark.parametrize(
    ("changes_per_minute", "change_pct"),
    [(1, 2.715), (2, 2.191), (7, 1.450), (39, 0.894), (110, 0.722), (1_620, 0.407)],
)
def test_rectangular_changes_of_the_230_volt_table_have_a_severity_of_one(
    changes_per_minute: float, change_pct: float
) -> None:
    volt = modulated(50.0, 230.0, rectangular(changes_per_minute, change_pct))
    pst = short_term_flicker(volt, RATE_HZ, nominal_volt=230.0, nominal_hz=50.0)
    assert pst == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(("changes_per_minute", "change_pct"), [(2, 2.568), (39, 1.044), (1_620, 0.547)])
def test_rectangular_changes_of_the_120_volt_table_have_a_severity_of_one(
    changes_per_minute: float, change_pct: float
) -> None:
    volt = modulated(60.0, 120.0, rectangular(changes_per_minute, change_pct))
    pst = short_term_flicker(volt, RATE_HZ, nominal_volt=120.0, nominal_hz=60.0)
    assert pst == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("lamp", "hz", "modulation_hz", "change_pct"),
    [
        (LAMP_230, 50.0, 0.5, 2.325),
        (LAMP_230, 50.0, 2.0, 0.882),
        (LAMP_230, 50.0, 8.8, 0.250),
        (LAMP_230, 50.0, 20.0, 0.700),
        (LAMP_120, 60.0, 0.5, 2.453),
        (LAMP_120, 60.0, 8.8, 0.321),
    ],
)
def test_sines_of_the_table_are_just_perceptible(
    lamp: object, hz: float, modulation_hz: float, change_pct: float
) -> None:
    envelope = 1.0 + change_pct / 200.0 * np.sin(2.0 * np.pi * modulation_hz * time_s(120.0))
    sensation = instantaneous_sensation(modulated(hz, 230.0, envelope), RATE_HZ, lamp=lamp, nominal_hz=hz)
    assert sensation[len(sensation) // 2 :].max() == pytest.approx(1.0, rel=0.05)


def test_severity_is_proportional_to_the_change() -> None:
    single, double = (
        short_term_flicker(
            modulated(50.0, 230.0, rectangular(39, change)), RATE_HZ, nominal_volt=230.0, nominal_hz=50.0
        )
        for change in (0.5, 1.0)
    )
    assert double == pytest.approx(2.0 * single, rel=0.01)


def test_a_steady_voltage_does_not_flicker() -> None:
    pst = short_term_flicker(modulated(50.0, 230.0, np.ones(600_000)), RATE_HZ, nominal_volt=230.0, nominal_hz=50.0)
    assert pst == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("volt", "rate_hz", "reason"),
    [
        (np.ones(299_000), 1_000.0, PowerReason.WINDOW_TOO_SHORT),
        (np.ones(480_000), 800.0, PowerReason.WRONG_RATE),
        (np.append(np.ones(599_999), np.nan), 1_000.0, PowerReason.TOO_MANY_GAPS),
        (np.zeros(600_000), 1_000.0, PowerReason.NO_FUNDAMENTAL),
    ],
)
def test_what_cannot_be_judged_is_refused(volt: np.ndarray, rate_hz: float, reason: PowerReason) -> None:
    assert short_term_flicker(volt, rate_hz, nominal_volt=230.0, nominal_hz=50.0) is reason


def test_ten_minutes_of_waveform_have_a_severity_and_fewer_a_reason() -> None:
    volt = modulated(50.0, 230.0, rectangular(39, 1.788))
    row, reasons = describe(PowerWindow(0, 600.0, volt=PhaseSignal(0, RATE_HZ, ("value",), volt[:, None])), Supply())
    assert row["flicker_pst"] == pytest.approx(2.0, rel=0.02)
    assert not any(reason.startswith("flicker") for reason in reasons)
    row, reasons = describe(PowerWindow(0, 300.0, volt=PhaseSignal(0, RATE_HZ, ("value",), volt[:300_000, None])))
    assert np.isnan(row["flicker_pst"])
    assert "flicker:window_too_short" in reasons


def test_long_term_severity_is_the_cube_root_of_the_mean_cube_of_twelve() -> None:
    assert long_term_flicker(np.full(12, 0.8)) == pytest.approx(0.8)
    assert long_term_flicker(np.array([2.0] + [0.0] * 11)) == pytest.approx((8.0 / 12.0) ** (1 / 3))
    assert np.isnan(long_term_flicker(np.full(11, 0.8)))
