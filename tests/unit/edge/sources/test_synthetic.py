from __future__ import annotations

import threading
from collections import defaultdict
from itertools import islice
from typing import Any, get_args

import numpy as np
import pytest

from edge.framer import Stamp, frame
from edge.framing import Framing
from edge.identity import Identity
from edge.instant import InstantClock
from edge.measurement import RegisterReading, Samples
from edge.pace import SystemClock
from edge.recordings.synthetic_gait import GaitModel, synthesize_gait
from edge.sources.settings import SyntheticSettings
from edge.sources.synthetic.device import Due, SyntheticSource, make_signal, synthetic_measurements
from edge.sources.synthetic.health import centre_of_pressure_mm
from edge.sources.synthetic.power import energy_kwh
from edge.sources.synthetic.settings import (
    ClimateSettings,
    LoadSettings,
    MeterSettings,
    PlateSettings,
    PressureSettings,
    SignalSettings,
    WaveformSettings,
)
from edge.testing import ManualClock
from schemas.sensors import SENSORS
from tests.collecting_outlet import CollectingOutlet, running

START_US = 1_764_028_800_000_000
"""2025-11-25 00:00 UTC."""
START_S = START_US / 1e6
KINDS = [kind for kind in SENSORS if kind != "SCANNER"]


def _settings(*sensors: dict[str, Any], **more: Any) -> SyntheticSettings:
    base = {"kind": "synthetic", "name": "dummy", "device_id": "s1", "duration_s": 3.0}
    return SyntheticSettings.model_validate({**base, "sensors": list(sensors), **more})


def _measurements(*sensors: dict[str, Any], **more: Any) -> list[Due]:
    return list(synthetic_measurements(_settings(*sensors, **more), START_US))


def _samples(dues: list[Due]) -> np.ndarray[Any, Any]:
    return np.concatenate([due.measurement.values for due in dues if isinstance(due.measurement, Samples)])


def test_there_is_a_signal_for_every_sensor_but_the_scanner() -> None:
    models = get_args(get_args(SignalSettings)[0])
    named: set[str] = set()
    for model in models:
        kinds = model.model_fields["sensor_type"].annotation
        parts = [part for part in get_args(kinds) if not isinstance(part, str)] or [kinds]
        named |= {name for part in parts for name in get_args(part)}
    assert named == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_measurement_fits_the_catalogue_and_a_frame(kind: str) -> None:
    sensor = SENSORS[kind]
    identity = Identity("lab", "hall", "s1", "live", "b0")
    dues = _measurements({"sensor_type": kind}, duration_s=2.0)
    assert dues
    for due in dues:
        measurement = due.measurement
        assert frame(measurement, identity, Stamp(0), Framing()).value
        if isinstance(measurement, RegisterReading):
            assert measurement.unit == sensor.unit
            continue
        assert isinstance(measurement, Samples)
        assert (measurement.sensor_type, measurement.unit) == (kind, sensor.unit)
        assert set(measurement.channels) <= set(sensor.channel_names)
        assert measurement.values.shape[1] == len(measurement.channels)
        assert sensor.valid_min <= measurement.values.min() <= measurement.values.max() <= sensor.valid_max
        assert 0.0 <= measurement.sample_rate_hz <= sensor.max_sample_rate_hz


def test_the_same_seed_measures_the_same_and_another_one_does_not() -> None:
    sensors = [{"sensor_type": "TEMP", "interval_s": 0.1, "noise": 0.2}, {"sensor_type": "GRF", "walk_s": 2.0}]

    def values(seed: int) -> bytes:
        dues = _measurements(*sensors, seed=seed)
        return b"".join(due.measurement.payload(Framing())[1] for due in dues)

    assert values(1) == values(1)
    assert values(1) != values(2)


def test_a_waves_rms_and_phases_are_known() -> None:
    settings = WaveformSettings(sensor_type="VOLT", rms=230.0, harmonics={3: 0.1, 5: 0.05}, conductors=3)
    wave = make_signal(settings, 1, START_S).values(0, 3_200, 1)
    rms = np.sqrt((wave**2).mean(axis=0))
    assert rms == pytest.approx(230.0 * np.sqrt(1.0 + 0.01 + 0.0025), rel=1e-9)
    fundamental = np.angle(np.fft.rfft(wave, axis=0)[50])
    assert np.degrees(np.diff(fundamental)) % 360.0 == pytest.approx(240.0, abs=1e-6)


def test_the_meter_shows_the_integral_of_the_load() -> None:
    home: dict[str, Any] = {"base_watt": 100.0, "appliance_watt": 2_000.0, "cycle_s": 60.0, "on_s": 20.0}
    load = make_signal(LoadSettings(sensor_type="WATT", **home), 1, START_S)
    step_s = 0.01
    power = load.truth(np.arange(0.0, 600.0, step_s))[:, 0]
    integral_kwh = power.sum() * step_s / 3.6e6
    meter = MeterSettings(sensor_type="KWH", **home, start_kwh=0.0, resolution=0.0001)
    assert energy_kwh(meter, np.array([600.0]))[0] == pytest.approx(integral_kwh, rel=1e-9)
    shown = make_signal(meter, 1, START_S).truth(np.array([600.0]))[0, 0]
    assert 0.0 <= integral_kwh - shown < 0.0001


def test_a_register_starts_again_at_its_end() -> None:
    meter = MeterSettings(
        sensor_type="KWH", base_watt=3_600.0, appliance_watt=0.0, start_kwh=9.98, digits=3, resolution=0.01
    )
    signal = make_signal(meter, 1, START_S)
    shown = signal.truth(np.array([0.0, 10.0, 20.0, 30.0]))[:, 0]
    assert shown == pytest.approx([9.98, 9.99, 0.0, 0.01])
    assert signal.register is not None
    assert (signal.register.digits, signal.register.resolution) == (3, 0.01)


def test_a_day_is_warmest_at_its_peak_hour() -> None:
    settings = ClimateSettings(sensor_type="TEMP", mean=20.0, swing=4.0, peak_hour=15.0)
    hours = np.arange(0.0, 24.0, 0.25)
    curve = make_signal(settings, 1, START_S + 6 * 3_600).truth((hours - 6.0) * 3_600.0)[:, 0]
    assert hours[curve.argmax()] == 15.0
    assert (curve.max(), curve.min(), curve.mean()) == pytest.approx((24.0, 16.0, 20.0))


def test_a_curve_stays_within_what_the_sensor_can_measure() -> None:
    settings = ClimateSettings(sensor_type="HUMID", mean=95.0, swing=30.0, noise=5.0)
    values = make_signal(settings, 1, START_S).values(0, 1_440, 1)
    assert values.max() == 100.0
    assert values.min() >= 0.0


def test_the_plates_wrench_gives_back_the_centre_of_pressure() -> None:
    settings = PlateSettings(sensor_type="FORCE_PLATE", noise_newton=0.0)
    signal = make_signal(settings, 1, START_S)
    wrench = signal.values(0, 1_000, 1)
    # x = -My / Fz, y = Mx / Fz on the plate's surface.
    got = np.stack((-wrench[:, 4], wrench[:, 3]), axis=1) / wrench[:, 2:3] * 1_000.0
    assert got == pytest.approx(centre_of_pressure_mm(settings, np.arange(1_000) * 0.01), abs=1e-9)
    assert wrench[:, 2] == pytest.approx(70.0 * 9.80665)


@pytest.mark.parametrize("kind", ["EMED", "FSCAN_LEFT", "PEDAR_X", "STAPPONE"])
def test_a_foot_rolls_from_heel_to_toe(kind: str) -> None:
    settings = PressureSettings(sensor_type=kind, sample_rate_hz=100.0, peak=300.0)  # type: ignore[arg-type]
    signal = make_signal(settings, 1, START_S)
    pressure = signal.values(0, 110, 1)
    swing = pressure[70:110]
    assert not swing.any()
    assert 250.0 < pressure.max() <= 300.0
    if kind != "STAPPONE" and not kind.startswith("PEDAR"):
        rows = np.array([int(channel[1:3]) for channel in signal.channels])
        stance = pressure[2:66]
        mean_row = (stance * rows).sum(axis=1) / stance.sum(axis=1)
        # Row 1 is at the toes.
        assert (np.diff(mean_row) < 0.0).all()


def test_a_walker_walks_rests_and_walks_again() -> None:
    walker = {"sensor_type": "GRF", "walk_s": 3.0, "rest_s": 1.5, "asymmetry": 0.1}
    dues = _measurements(walker, duration_s=8.0, seed=5)
    starts_s = [(due.measurement.start_us - START_US) / 1e6 for due in dues]
    assert starts_s == [0.0, 1.0, 2.0, 4.5, 5.0, 6.0, 7.0]
    model = GaitModel(asymmetry=0.1)
    walks = [synthesize_gait(3.0, seed=seed, model=model).recording.samples for seed in (5, 6)]
    assert np.array_equal(_samples(dues), np.concatenate(walks))


def test_each_sensor_keeps_its_own_rate() -> None:
    dues = _measurements({"sensor_type": "TEMP", "interval_s": 0.5}, {"sensor_type": "VOLT"}, duration_s=2.0)
    assert [due.due_s for due in dues] == sorted(due.due_s for due in dues)
    per_kind: defaultdict[str, list[float]] = defaultdict(list)
    for due in dues:
        per_kind[due.measurement.sensor_type].append(due.due_s)
    assert per_kind == {"TEMP": [0.0, 0.5, 1.0, 1.5], "VOLT": [1.0, 2.0]}


def test_without_a_duration_it_never_ends() -> None:
    endless = synthetic_measurements(_settings({"sensor_type": "CO2"}, duration_s=None), START_US)
    assert len(list(islice(endless, 1_000))) == 1_000


def test_the_source_measures_in_time_and_ends_with_its_duration() -> None:
    clock = ManualClock(START_US // 1_000)
    stop = threading.Event()
    outlet = CollectingOutlet(stop)
    settings = _settings({"sensor_type": "FORCE_PLATE"}, {"sensor_type": "TEMP", "interval_s": 1.0})
    SyntheticSource(settings, InstantClock(clock, lambda: True)).run(outlet, stop)
    plate = [one for one in outlet.taken if one.measurement.sensor_type == "FORCE_PLATE"]
    # A block is taken when its last sample is complete.
    assert [one.taken.wall_ms - one.measurement.end_us // 1_000 for one in plate] == [0, 0, 0]
    assert [one.device_id for one in outlet.taken] == ["s1"] * 6
    assert outlet.states[-1] == (False, "measured for its whole duration")


def test_the_sensor_time_follows_a_wall_clock_that_is_set() -> None:
    class Unset(ManualClock):
        def now_ms(self) -> int:
            return super().now_ms() - (1_764_000_000_000 if self.monotonic_s() < 1.5 else 0)

    clock, stop = Unset(START_US // 1_000), threading.Event()
    outlet = CollectingOutlet(stop)
    settings = _settings({"sensor_type": "TEMP", "interval_s": 1.0})
    SyntheticSource(settings, InstantClock(clock, lambda: True)).run(outlet, stop)
    for one in outlet.taken:
        assert abs(one.measurement.start_us // 1_000 - one.taken.wall_ms) <= 2
        assert not one.timed_by_device


def test_a_stop_ends_an_endless_source() -> None:
    settings = _settings({"sensor_type": "TEMP", "interval_s": 0.05}, duration_s=None)
    with running(SyntheticSource(settings, InstantClock(SystemClock(), lambda: True))) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) >= 3)
