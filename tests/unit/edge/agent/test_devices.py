"""Silence is judged by a sensor's own cadence."""

from __future__ import annotations

from edge.agent.devices import Devices
from edge.agent.settings import StatusSettings


def heard_every(devices: Devices, device_id: str, step_ms: int, count: int, begin_ms: int = 0) -> int:
    devices.device(device_id, "s")
    for number in range(count):
        devices.heard(device_id, "TEMP", begin_ms + number * step_ms)
    return begin_ms + (count - 1) * step_ms


def test_a_sensor_is_silent_after_so_many_times_its_own_cadence_and_told_once() -> None:
    devices = Devices(StatusSettings(silent_after=5.0, silent_least_s=0.0))
    quick, slow = heard_every(devices, "quick", 100, 20), heard_every(devices, "slow", 60_000, 5)
    assert [one.device_id for one in devices.fallen_silent(quick + 501)] == ["quick"]
    assert devices.fallen_silent(quick + 10_000) == []
    assert devices.known["quick"].silent == ["TEMP"]
    assert devices.fallen_silent(slow + 300_000) == []
    (slow_one,) = devices.fallen_silent(slow + 300_001)
    assert slow_one.detail == "nothing for 300.0 s, usual step 60 s"


def test_a_sensor_that_speaks_again_is_told_and_its_silence_is_no_step() -> None:
    devices = Devices(StatusSettings(silent_after=3.0, silent_least_s=0.0))
    last = heard_every(devices, "room", 1_000, 10)
    assert devices.fallen_silent(last + 3_001)
    again = devices.heard("room", "TEMP", last + 3_600_000)
    assert again is not None and not again.silent
    assert devices.known["room"].sensors["TEMP"].cadence_ms() == 1_000
    assert devices.fallen_silent(last + 3_600_000 + 3_001)


def test_nobody_is_silent_before_the_cadence_is_known_or_within_the_least_time() -> None:
    devices = Devices(StatusSettings(silent_after=2.0, silent_least_s=10.0))
    last = heard_every(devices, "new", 10, 2)
    assert devices.fallen_silent(last + 1_000_000) == []
    last = heard_every(devices, "known", 10, 10)
    assert devices.fallen_silent(last + 9_999) == []
    assert [one.device_id for one in devices.fallen_silent(last + 10_001)] == ["known"]
