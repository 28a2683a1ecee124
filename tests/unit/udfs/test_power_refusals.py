"""What cannot be measured gives missing values and the reason, never an exception or a plausible number."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.power import POWER_FEATURE_NAMES, POWER_FEATURES, PowerGroup, PowerReason, Supply
from tests.builders_power import counter, describe, signal, sine, three_phases, waveforms
from udfs.power import CounterSeries, PhaseSignal, PowerWindow, Readings, extract_power_batch

VOLT_COLUMNS = [name for name in POWER_FEATURE_NAMES if name.startswith("volt_") and name != "volt_coverage_pct"]
RANDOM = np.random.default_rng(7)


def volt(samples: np.ndarray, rate_hz: float = 10_000.0, channels: tuple[str, ...] = ("value",)) -> PhaseSignal:
    return PhaseSignal(0, rate_hz, channels, samples)


REFUSED = {
    "nothing sent": (None, "voltage:no_sensor"),
    "no samples": (volt(np.empty((0, 1))), "voltage:no_samples"),
    "all missing": (volt(np.full((20_000, 1), np.nan)), "voltage:no_samples"),
    "all infinite": (volt(np.full((20_000, 1), np.inf)), "voltage:no_samples"),
    "one sample": (volt(np.array([[230.0]])), "voltage:no_fundamental"),
    "a quarter cycle": (signal(sine(seconds=0.005)), "voltage:window_too_short"),
    "constant": (volt(np.full((20_000, 1), 230.0)), "voltage:no_fundamental"),
    "noise": (volt(RANDOM.normal(0.0, 230.0, (20_000, 1))), "voltage:no_fundamental"),
    "eighteen hertz": (signal(sine(hz=18.0)), "voltage:no_fundamental"),
    "every second cycle lost": (
        volt(np.where(np.arange(20_000) % 200 == 7, np.nan, sine())[:, None]),
        "voltage:too_many_gaps",
    ),
    "one dimension": (volt(sine()), "voltage:wrong_shape"),
    "two channels for one": (volt(np.zeros((100, 2))), "voltage:wrong_shape"),
    "unknown channel": (volt(np.zeros((100, 1)), channels=("N",)), "voltage:wrong_shape"),
    "a phase twice": (volt(np.zeros((100, 2)), channels=("L1", "L1")), "voltage:wrong_shape"),
    "no channel": (volt(np.zeros((100, 0)), channels=()), "voltage:wrong_shape"),
    "rate of zero": (volt(sine()[:, None], 0.0), "voltage:wrong_rate"),
    "rate of NaN": (volt(sine()[:, None], float("nan")), "voltage:wrong_rate"),
    "rate negative": (volt(sine()[:, None], -10_000.0), "voltage:wrong_rate"),
    "rate infinite": (volt(sine()[:, None], float("inf")), "voltage:wrong_rate"),
    "rate ten times too high": (volt(sine()[:, None], 100_000.0), "voltage:no_fundamental"),
    "rate ten times too low": (volt(sine()[:, None], 1_000.0), "voltage:no_fundamental"),
    "waveform at the rate of readings": (volt(sine(rate_hz=500.0)[:, None], 500.0), "voltage:negative_readings"),
    "times out of order": (
        Readings(np.array([5, 3]), ("value",), np.array([[230.0], [231.0]])),
        "voltage:wrong_rate",
    ),
    "times too few": (Readings(np.array([5]), ("value",), np.array([[230.0], [231.0]])), "voltage:wrong_shape"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_voltage_has_no_values_but_a_reason(data: PhaseSignal | Readings | None, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row, reasons = describe(PowerWindow(0, 60.0, volt=data))
    assert reason in reasons
    assert [name for name in VOLT_COLUMNS if not np.isnan(row[name])] == []
    assert np.isnan(row["frequency_hz"]) and np.isnan(row["dip_count"])


def test_a_clipped_voltage_keeps_its_frequency_and_loses_its_shape() -> None:
    clipped = np.clip(sine(), -260.0, 260.0)
    row, reasons = waveforms(signal(clipped))
    assert "voltage:saturated" in reasons
    assert row["frequency_hz"] == pytest.approx(50.0, abs=1e-3)
    assert np.isnan(row["volt_crest_l1"]) and np.isnan(row["volt_thd_l1_pct"]) and np.isnan(row["volt_harmonic_3_pct"])


@pytest.mark.parametrize("clean", [np.round(sine() / 0.16) * 0.16, np.sign(sine(seconds=1.0)) * 230.0])
def test_a_coarse_converter_and_a_square_wave_are_not_clipped(clean: np.ndarray) -> None:
    row, reasons = waveforms(signal(clean))
    assert "voltage:saturated" not in reasons
    assert np.isfinite(row["volt_crest_l1"])


def test_no_current_has_rms_zero_and_no_factors() -> None:
    row, reasons = waveforms(signal(sine()), signal(np.zeros(20_000)))
    assert row["amp_rms_l1_ampere"] == 0.0
    assert row["active_power_total_watt"] == 0.0
    assert "current:zero_current" in reasons
    for name in ("amp_crest_l1", "amp_thd_l1_pct", "power_factor", "displacement_power_factor", "vi_trajectory_area"):
        assert np.isnan(row[name])


@pytest.mark.parametrize(
    ("amp", "reason"),
    [
        (signal(sine(5.0, rate_hz=5_000.0), rate_hz=5_000.0), "power:rates_differ"),
        (signal(sine(5.0), start_us=5_000_000), "power:not_aligned"),
        (signal(*three_phases((1.0, 2.0, 3.0))), "power:phases_differ"),
        (None, "power:no_sensor"),
    ],
)
def test_power_is_refused_where_current_does_not_fit_the_voltage(amp: PhaseSignal | None, reason: str) -> None:
    row, reasons = waveforms(signal(sine()), amp)
    assert reason in reasons
    assert np.isnan(row["active_power_total_watt"]) and np.isnan(row["power_factor"])
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0, rel=1e-6)


def test_half_a_sample_between_voltage_and_current_is_too_much_at_a_low_rate() -> None:
    wave = sine(rate_hz=2_000.0)
    _, reasons = waveforms(signal(wave, rate_hz=2_000.0), signal(wave, rate_hz=2_000.0, start_us=250))
    assert "power:not_aligned" in reasons
    _, reasons = waveforms(signal(wave, rate_hz=2_000.0), signal(wave, rate_hz=2_000.0, start_us=20))
    assert "power:not_aligned" not in reasons


def test_a_window_without_anything_names_every_sensor_once() -> None:
    row, reasons = describe(PowerWindow(0, 60.0))
    assert reasons == tuple(f"{group}:no_sensor" for group in ("counter", "current", "energy", "power", "voltage"))
    assert np.isnan(list(row.values())).all()


def complete_window() -> PowerWindow:
    """Three phases for 12 s with a load that is switched on, a day's power and a counter."""
    on = np.repeat([0.0, 1.0], [20_000, 100_000])
    volts = [row * np.repeat([1.0, 0.5, 1.0], [60_000, 2_000, 58_000]) for row in three_phases(seconds=12.0)]
    amps = [row * on for row in three_phases((5.0, 6.0, 7.0), seconds=12.0, phase_deg=-20.0, harmonics=((3, 0.1),))]
    watt = PhaseSignal(0, 1 / 60.0, ("L1", "L2", "L3"), np.full((1_440, 3), 1_000.0))
    kwh = counter(range(1_440), 10.0 + 0.05 * np.arange(1_440), digits=6, resolution_kwh=0.1)
    return PowerWindow(0, 86_400.0, signal(*volts), signal(*amps), watt, kwh)


def test_a_complete_window_misses_nothing_but_what_its_waveforms_are_too_short_for() -> None:
    row, reasons = describe(complete_window(), Supply(contract_power_watt=50_000.0))
    missing = {name for name, value in row.items() if np.isnan(value)}
    assert missing == {"flicker_pst", "swell_max_volt", "swell_duration_max_s"}
    assert reasons == ("flicker:window_too_short",)


def test_values_lie_within_their_declared_limits() -> None:
    values, _ = extract_power_batch(
        [
            complete_window(),
            PowerWindow(0, 60.0, signal(sine(harmonics=((3, 0.5),))), signal(sine(3.0, phase_deg=170.0))),
        ],
        Supply(),
    )
    for column, feature in zip(values.T, POWER_FEATURES, strict=True):
        known = column[np.isfinite(column)]
        assert np.all(known >= feature.lowest) and np.all(known <= feature.highest), feature.name


def mixed_batch() -> list[PowerWindow]:
    gap = sine(seconds=3.0)
    gap[7_000:9_000] = np.nan
    readings = PhaseSignal(0, 1.0, ("value",), np.full((60, 1), 229.0))
    return [
        complete_window(),
        PowerWindow(0, 60.0),
        PowerWindow(0, 60.0, signal(gap), signal(sine(2.0, seconds=3.0, phase_deg=-50.0, hz=49.9))),
        PowerWindow(0, 60.0, signal(sine(120.0, hz=60.0, seconds=1 / 60.0, rate_hz=30_000.0), rate_hz=30_000.0)),
        PowerWindow(0, 60.0, volt=readings, amp=replace(readings, samples=readings.samples / 50.0), watt=readings),
        PowerWindow(0, 60.0, kwh=counter([0, 1, 2], [5.0, 5.1, 4.0])),
        PowerWindow(0, 60.0, signal(sine(seconds=3.0, hz=50.2), rate_hz=10_000.0)),
        PowerWindow(0, 60.0, volt(np.full((300, 1), 3.0))),
    ]


def test_a_batch_is_its_windows_one_by_one_to_the_last_bit_in_any_order() -> None:
    windows = mixed_batch()
    values, reasons = extract_power_batch(windows, Supply())
    order = RANDOM.permutation(len(windows))
    shuffled_values, shuffled_reasons = extract_power_batch([windows[index] for index in order], Supply())
    assert values[order].tobytes() == shuffled_values.tobytes()
    assert [reasons[index] for index in order] == shuffled_reasons
    for window, row, reason in zip(windows, values, reasons, strict=True):
        alone, alone_reasons = extract_power_batch([window], Supply())
        assert alone[0].tobytes() == row.tobytes()
        assert alone_reasons == [reason]
        assert list(reason) == sorted(set(reason))


def test_an_empty_batch_is_an_empty_table() -> None:
    values, reasons = extract_power_batch([], Supply())
    assert values.shape == (0, len(POWER_FEATURES))
    assert reasons == []


def test_the_input_is_left_as_it_was() -> None:
    windows = mixed_batch()
    before = [window.volt.samples.tobytes() for window in windows if isinstance(window.volt, PhaseSignal)]
    extract_power_batch(windows, Supply())
    after = [window.volt.samples.tobytes() for window in windows if isinstance(window.volt, PhaseSignal)]
    assert before == after


FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True)
FILLS = st.sampled_from([0.0, 230.0, -5.0, np.nan, 1e-300, 1e308])
ANY_SIGNAL = st.builds(
    lambda samples, rate, phase, start: PhaseSignal(
        start,
        rate,
        ("value",) if samples.shape[1] == 1 else ("L1", "L2", "L3"),
        samples + phase * sine(seconds=0.1)[: len(samples), None],
    ),
    hnp.arrays(np.float64, st.tuples(st.integers(0, 700), st.sampled_from([1, 3])), elements=FLOATS, fill=FILLS),
    st.sampled_from([1 / 60.0, 1.0, 700.0, 1_000.0, 3_333.3, 10_000.0]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0, 1_234, 60_000_000]),
)
ANY_COUNTER = st.lists(st.tuples(st.integers(0, 10**12), FLOATS), max_size=40).map(
    lambda pairs: CounterSeries(
        np.array(sorted(time for time, _ in pairs), dtype=np.int64),
        np.array([value for _, value in pairs], dtype=float),
        5,
        0.1,
    )
)


@given(
    st.one_of(st.none(), ANY_SIGNAL),
    st.one_of(st.none(), ANY_SIGNAL),
    st.one_of(st.none(), ANY_SIGNAL),
    st.one_of(st.none(), ANY_COUNTER),
    st.sampled_from(
        [Supply(), Supply(nominal_volt=None, nominal_frequency_hz=50.0), Supply(nominal_frequency_hz=60.0)]
    ),
)
@settings(max_examples=150)
def test_no_numbers_whatever_raise_or_give_an_infinite_feature(
    volts: PhaseSignal | None,
    amps: PhaseSignal | None,
    watts: PhaseSignal | None,
    kwh: CounterSeries | None,
    supply: Supply,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, reasons = extract_power_batch([PowerWindow(0, 60.0, volts, amps, watts, kwh)], supply)
    assert not np.isinf(values).any()
    for reason in reasons[0]:
        group, _, cause = reason.partition(":")
        assert group in set(PowerGroup) and cause in set(PowerReason)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nominal_frequency_hz": 16.7},
        {"nominal_volt": 0.0},
        {"contract_power_watt": -1.0},
        {"nominal_volt": float("nan")},
    ],
)
def test_a_supply_that_cannot_be_is_refused_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Supply(**wrong)
