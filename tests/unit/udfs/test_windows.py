"""Windows: which frames stand in which, and that nothing but the set of frames decides what a row says."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from schemas.envelope import Record, RecordKey
from schemas.environment import EnvironmentSettings
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.row_codec import decode_row, encode_row
from schemas.rows import FEATURES_ENV, FEATURES_POWER, RowValues
from tests.builders import START_US, FrameBuilder, counter_record
from udfs.environment_rows import ENVIRONMENT_WINDOWS, extract_environment_features
from udfs.line import LineSettings, run_line
from udfs.power_rows import POWER_WINDOWS, extract_power_features
from udfs.windows import DAY_S, SLOW_FRAME_BYTES, WindowGroup

APPEND_MS = START_US // 1000 + 400_000
LINE = LineSettings([], 0.7, APPEND_MS)
PLACES = PerDevice(EnvironmentSettings())
SUPPLIES = PerDevice(Supply())
CLIMATE = {"TEMP": 25.0, "HUMID": 50.0, "CO2": 800.0}
NOON_MS = 1_760_011_200_000
"""Noon UTC of 9 October 2025."""


def climate_records(count: int = 60) -> list[Record]:
    return [
        FrameBuilder(
            sensor_type=sensor,
            sequence=1_000 * place + index,
            start_us=START_US + index * 1_000_000,
            samples=np.array([[value]]),
        ).record()
        for place, (sensor, value) in enumerate(CLIMATE.items())
        for index in range(count)
    ]


def waveform_records(seconds: int, *, volt: float = 230.0, ampere: float = 10.0, rate_hz: int = 5_000) -> list[Record]:
    time_s = np.arange(rate_hz) / rate_hz
    wave = np.sqrt(2) * np.sin(2 * np.pi * 50 * time_s)[:, None]
    return [
        FrameBuilder(
            sensor_type=sensor,
            sequence=1_000 * place + second,
            start_us=START_US + second * 1_000_000,
            sample_rate_hz=float(rate_hz),
            samples=wave * scale,
        ).record()
        for place, (sensor, scale) in enumerate((("VOLT", volt), ("AMP", ampere)))
        for second in range(seconds)
    ]


def group(sensor: str, records: list[Record], window_s: int = 60) -> WindowGroup:
    key = RecordKey("lab", "walker-1", "s-1", sensor)
    return WindowGroup(key, START_US // 1000, window_s, APPEND_MS, [record.value for record in records])


def environment_row(records: list[Record], window_s: int = 60) -> RowValues:
    (row,) = extract_environment_features([group("ENVIRONMENT", records, window_s)], PLACES)
    assert row is not None
    return row


def power_row(records: list[Record], window_s: int = 60) -> RowValues:
    (row,) = extract_power_features([group("POWER", records, window_s)], SUPPLIES)
    assert row is not None
    return row


def test_the_sensors_of_a_device_are_joined_in_one_row() -> None:
    row = environment_row(climate_records())
    assert (row["sensor_type"], row["window_s"], row["frames"], row["quality"]) == ("ENVIRONMENT", 60, 180, "ok")
    assert (row["session_start_ms"], row["session_end_ms"]) == (START_US // 1000, START_US // 1000 + 60_000)
    # 25 degC and 50 %: reference values of the Magnus formula (WMO-8).
    assert row["dew_point_mean_degc"] == pytest.approx(13.852, abs=1e-3)
    assert row["absolute_humidity_mean_g_per_m3"] == pytest.approx(11.483, abs=1e-3)
    assert row["vpd_mean_kpa"] == pytest.approx(1.580, abs=1e-3)
    assert "pm25:no_sensor" in row["missing"]
    assert "nowcast:window_too_short" in row["missing"]


def test_voltage_and_current_of_a_device_give_its_power() -> None:
    row = power_row(waveform_records(3))
    assert (row["sensor_type"], row["frames"], row["quality"]) == ("POWER", 6, "ok")
    assert row["active_power_total_watt"] == pytest.approx(2_300.0, rel=1e-6)
    assert row["power_factor"] == pytest.approx(1.0, abs=1e-9)
    assert row["frequency_hz"] == pytest.approx(50.0, abs=1e-6)


def test_readings_without_a_rate_are_taken_at_their_own_times() -> None:
    records = [
        FrameBuilder(
            sensor_type="WATT",
            sequence=index,
            sample_rate_hz=0.0,
            start_us=START_US + at_s * 1_000_000,
            samples=np.array([[1_000.0]]),
        ).record()
        for index, at_s in enumerate((0, 7, 31, 55))
    ]
    row = power_row(records)
    assert row["frames"] == 4
    assert row["energy_kwh"] == pytest.approx(1.0 * 55 / 3600, rel=0.2)


def test_a_counter_that_rolls_over_in_the_window_gives_the_energy_between_its_readings() -> None:
    readings = (999.91, 999.95, 999.99, 0.03)
    row = power_row(
        [counter_record(value, sequence=index, at_s=60 * index, digits=5) for index, value in enumerate(readings)], 300
    )
    assert (row["frames"], row["counter_rollovers"]) == (4, 1)
    assert row["counter_corrected_kwh"] == pytest.approx(0.12, abs=1e-9)


def test_a_counter_keeps_all_its_digits() -> None:
    row = power_row([counter_record(1_234_567.01), counter_record(1_234_567.02, sequence=1, at_s=60)], 300)
    assert row["counter_corrected_kwh"] == pytest.approx(0.01, abs=1e-9)


def test_a_lost_block_is_a_gap_and_not_bridged() -> None:
    whole, holed = waveform_records(4), waveform_records(4)
    del holed[1]
    assert power_row(whole)["volt_coverage_pct"] > power_row(holed)["volt_coverage_pct"]
    assert power_row(holed)["volt_rms_l1_volt"] == pytest.approx(230.0, rel=1e-6)


@pytest.mark.parametrize("row_of", [environment_row, power_row])
def test_order_and_copies_change_nothing(row_of: Any) -> None:
    records = climate_records(20) if row_of is environment_row else waveform_records(3)
    shuffled = [*records, *records[:5]]
    random.Random(3).shuffle(shuffled)
    expected, found = row_of(records), row_of(shuffled)
    assert encode(expected) == encode(found)


def encode(row: RowValues) -> bytes:
    return encode_row(FEATURES_ENV if row["sensor_type"] == "ENVIRONMENT" else FEATURES_POWER, row)


@pytest.mark.parametrize("row_of", [environment_row, power_row])
def test_a_batch_of_windows_equals_windows_one_by_one(row_of: Any) -> None:
    if row_of is environment_row:
        groups = [group("ENVIRONMENT", climate_records(count)) for count in (3, 20, 60)]
        together = extract_environment_features(groups, PLACES)
        alone = [extract_environment_features([each], PLACES)[0] for each in groups]
    else:
        groups = [group("POWER", waveform_records(seconds)) for seconds in (1, 3)]
        together = extract_power_features(groups, SUPPLIES)
        alone = [extract_power_features([each], SUPPLIES)[0] for each in groups]
    assert [encode(row) for row in together if row] == [encode(row) for row in alone if row]
    assert len(together) == len(groups)


def test_a_row_comes_back_from_its_topic_as_it_was() -> None:
    row = environment_row(climate_records())
    back = decode_row(FEATURES_ENV, encode_row(FEATURES_ENV, row))
    assert encode_row(FEATURES_ENV, back) == encode_row(FEATURES_ENV, row)
    assert back["missing"] == row["missing"]


def test_what_is_no_frame_makes_no_row() -> None:
    nothing = group("ENVIRONMENT", [])
    broken = WindowGroup(nothing.key, nothing.start_ms, 60, APPEND_MS, [b"", b"no frame"])
    assert extract_environment_features([nothing, broken], PLACES) == [None, None]
    assert extract_power_features([nothing, broken], SUPPLIES) == [None, None]


@pytest.mark.parametrize("before_ms", [0, 1, 12 * 3_600_000])
def test_the_days_of_climate_begin_at_noon_so_that_a_night_stays_whole(before_ms: int) -> None:
    key = RecordKey("lab", "room", "s", "CO2")
    windows = dict(ENVIRONMENT_WINDOWS.windows_of(key, NOON_MS - before_ms, b""))
    assert windows[DAY_S] == (NOON_MS if before_ms == 0 else NOON_MS - DAY_S * 1000)
    assert windows[60] == (NOON_MS - before_ms) // 60_000 * 60_000
    assert windows[300] == (NOON_MS - before_ms) // 300_000 * 300_000


def test_only_slow_frames_count_for_the_day() -> None:
    watt, volt = RecordKey("lab", "meter", "s", "WATT"), RecordKey("lab", "meter", "s", "VOLT")
    lengths = {
        "slow": [length for length, _ in POWER_WINDOWS.windows_of(watt, NOON_MS, b"x" * SLOW_FRAME_BYTES)],
        "fast": [length for length, _ in POWER_WINDOWS.windows_of(watt, NOON_MS, b"x" * (SLOW_FRAME_BYTES + 1))],
        "volt": [length for length, _ in POWER_WINDOWS.windows_of(volt, NOON_MS, b"x")],
        "other": [length for length, _ in POWER_WINDOWS.windows_of(RecordKey("l", "d", "s", "TEMP"), NOON_MS, b"x")],
    }
    assert lengths == {"slow": [60, 300, DAY_S], "fast": [60, 300], "volt": [60, 300], "other": []}


def test_each_device_is_judged_by_its_own_settings_in_any_batch() -> None:
    american = Supply(nominal_volt=120.0, nominal_frequency_hz=60.0)
    supplies = PerDevice(Supply(), {"lab/us-*": american, "*/us-1": Supply(nominal_volt=400.0)})
    devices = ("eu-1", "us-1", "eu-2", "us-2")
    volts = [record.value for record in waveform_records(3, volt=120.0)]
    groups = [
        WindowGroup(RecordKey("lab", device, "s-1", "POWER"), START_US // 1000, 60, APPEND_MS, volts)
        for device in devices
    ]
    rows = extract_power_features(groups, supplies)
    assert [row["device_id"] for row in rows if row] == list(devices)
    for group_, row, supply in zip(groups, rows, (Supply(), american) * 2, strict=True):
        (alone,) = extract_power_features([group_], PerDevice(supply))
        assert row is not None and encode_row(FEATURES_POWER, row) == encode_row(FEATURES_POWER, alone or {})
    assert rows[0] is not None and rows[1] is not None
    assert rows[0]["dip_count"] != rows[1]["dip_count"]


def flickering_records(minutes: int) -> list[Record]:
    """A voltage of 230 V with 39 rectangular changes of 0.894 % a minute: by IEC 61000-4-15 a severity of 1."""
    rate_hz = 1_000
    time_s = np.arange(60 * minutes * rate_hz) / rate_hz
    envelope = 1.0 + 0.894 / 200.0 * np.sign(np.sin(2.0 * np.pi * 39.0 / 120.0 * time_s + 1e-9))
    volt = 230.0 * np.sqrt(2.0) * np.sin(2.0 * np.pi * 50.0 * time_s) * envelope
    begin_us = START_US - START_US % (600 * 1_000_000)
    return [
        FrameBuilder(
            sensor_type="VOLT",
            sequence=second,
            start_us=begin_us + second * 1_000_000,
            session_start_ms=begin_us // 1_000,
            sample_rate_hz=float(rate_hz),
            samples=volt[second * rate_hz : (second + 1) * rate_hz, None],
        ).record()
        for second in range(60 * minutes)
    ]


def test_ten_minutes_of_a_waveform_have_a_flicker_and_five_have_a_reason() -> None:
    (row,) = [row for row in run_line(flickering_records(10), LINE).windows if row.features["window_s"] == 600]
    assert row.features["flicker_pst"] == pytest.approx(1.0, rel=0.05)
    shorter = run_line(flickering_records(5), LINE).windows
    assert {window.features["window_s"] for window in shorter} == {60, 300, 600}
    assert all("flicker:window_too_short" in window.features["missing"] for window in shorter)


def test_only_waveforms_of_voltage_have_the_window_of_ten_minutes() -> None:
    key = RecordKey("lab", "walker-1", "s-1", "VOLT")
    waveform, reading = bytes(SLOW_FRAME_BYTES + 1), bytes(SLOW_FRAME_BYTES)
    assert [length for length, _ in POWER_WINDOWS.windows_of(key, 1_234_567, waveform)] == [60, 300, 600]
    assert [length for length, _ in POWER_WINDOWS.windows_of(key, 1_234_567, reading)] == [60, 300]
    amp = key._replace(sensor_type="AMP")
    assert [length for length, _ in POWER_WINDOWS.windows_of(amp, 1_234_567, waveform)] == [60, 300]
    watt = key._replace(sensor_type="WATT")
    assert [length for length, _ in POWER_WINDOWS.windows_of(watt, 1_234_567, reading)] == [60, 300, DAY_S]
