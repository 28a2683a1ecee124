from __future__ import annotations

import fcntl
import os
import random
import struct
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.instant import InstantClock
from edge.measurement import RegisterReading, Samples
from edge.pace import SystemClock
from edge.sources.checksums import ChecksumKind, checksum
from edge.sources.serial_line import SerialSource
from edge.sources.settings import SerialSettings
from schemas.errors import Reason
from tests.collecting_outlet import CollectingOutlet, running

TEXT = {"format": {"kind": "text", "columns": ["t", "rh"]}}
CLIMATE = {**TEXT, "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "rh"}]}
WHOLE_LINES = {"kind": "lines", "first_is_whole": True}


class Device:
    """The far end of a serial line, which can be pulled out and plugged in again under one name."""

    def __init__(self, port: Path) -> None:
        self.port = port
        self._far = -1
        self.plug_in()

    def plug_in(self) -> None:
        self._far, near = os.openpty()
        tty.setraw(near)
        self.port.symlink_to(os.ttyname(near))
        self._near = near

    def pull_out(self) -> None:
        self.port.unlink()
        os.close(self._far)
        os.close(self._near)

    def send(self, data: bytes) -> None:
        os.write(self._far, data)

    def wait_until_read(self) -> None:
        """Until nothing that was sent waits to be read."""
        deadline_s = time.monotonic() + 30.0
        while struct.unpack("i", fcntl.ioctl(self._near, termios.FIONREAD, bytes(4)))[0]:
            assert time.monotonic() < deadline_s
            time.sleep(0.005)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    one = Device(tmp_path / "ttyUSB0")
    yield one
    if one.port.is_symlink():
        one.pull_out()


def _source(device: Device, reading: dict[str, Any], split: dict[str, Any] | None = None, **more: Any) -> SerialSource:
    settings = SerialSettings.model_validate(
        {
            "kind": "serial",
            "name": "board",
            "device_id": "board-1",
            "port": str(device.port),
            "split": split or WHOLE_LINES,
            "reading": reading,
            "retry": {"first_s": 0.01, "longest_s": 0.05},
            **more,
        }
    )
    return SerialSource(settings, InstantClock(SystemClock(), lambda: True), random.Random(1))


def _is_open(outlet: CollectingOutlet) -> bool:
    return bool(outlet.states) and outlet.states[-1][0]


def test_lines_become_measurements_of_their_sensors(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(_is_open)
        device.send(b"21.5,40\r\n22")
        device.send(b".5,41\r\n")
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 4)
    sent = [(one.sensor_type, one.values.tolist()) for one in _samples(source.outlet)]
    assert sent == [("TEMP", [[21.5]]), ("HUMID", [[40.0]]), ("TEMP", [[22.5]]), ("HUMID", [[41.0]])]
    first = source.outlet.taken[0]
    assert (first.device_id, first.timed_by_device, first.acknowledge) == ("board-1", False, None)
    assert abs(first.measurement.start_us // 1_000 - first.taken.wall_ms) <= 2


def test_bad_lines_are_rejected_with_their_bytes_and_the_device_keeps_going(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(_is_open)
        device.send(b"21.5,40\nERR 5\n200,41\n21.6,42\n")
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 5)
    assert [(one.raw, one.error.reason) for one in source.outlet.rejected] == [
        (b"ERR 5\n", Reason.MALFORMED_PAYLOAD),
        (b"200,41\n", Reason.VALUE_OUT_OF_RANGE),
    ]


def test_a_device_may_be_pulled_out_and_plugged_in_again(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        for number in range(3):
            source.outlet.wait_for(_is_open)
            device.send(f"2{number},40\n".encode())
            source.outlet.wait_for(lambda outlet, wanted=2 * number + 2: len(outlet.taken) == wanted)
            device.pull_out()
            source.outlet.wait_for(lambda outlet: not _is_open(outlet))
            device.plug_in()
        source.outlet.wait_for(_is_open)
    assert [one.values[0, 0] for one in _samples(source.outlet) if one.sensor_type == "TEMP"] == [20.0, 21.0, 22.0]


def test_a_port_that_is_not_there_is_waited_for(device: Device) -> None:
    device.pull_out()
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.states) >= 3)
        assert not any(connected for connected, _ in source.outlet.states)
        device.plug_in()
        source.outlet.wait_for(_is_open)


def test_what_was_half_sent_when_the_cable_went_is_rejected(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(_is_open)
        device.send(b"21.5,40\n21.")
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 2)
        device.pull_out()
        source.outlet.wait_for(lambda outlet: len(outlet.rejected) == 1)
        device.plug_in()
    assert source.outlet.rejected[0].raw == b"21."


def test_binary_frames_at_a_fixed_rate_become_blocks(device: Device) -> None:
    reading = {
        "format": {"kind": "struct", "layout": "<Bh", "fields": ["n", "force"]},
        "sensors": [
            {
                "sensor_type": "GRF",
                "channels": [{"name": "L1", "field": "force", "scale": 0.1, "unit": "kgf"}],
                "sample_rate_hz": 100,
                "jitter_ms": 10_000,
                "count": {"field": "n"},
            }
        ],
        "block_s": 0.5,
    }
    split = {"kind": "frames", "sync": "AA55", "length_bytes": 7, "checksum": "crc16-modbus"}
    with running(_source(device, reading, split)) as source:
        source.outlet.wait_for(_is_open)
        for number in range(120):
            body = b"\xaa\x55" + struct.pack("<Bh", number, number)
            frame = body + checksum(ChecksumKind.CRC16_MODBUS, body).to_bytes(2, "little")
            device.send(b"\x00noise" + frame if number == 60 else frame)
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 2)
        device.wait_until_read()
    # The samples that still waited for their block go out with the end.
    blocks = _samples(source.outlet)
    assert [(len(block.values), block.sample_rate_hz) for block in blocks] == [(50, 100.0), (50, 100.0), (20, 100.0)]
    values = [value for block in blocks for value in block.values[:, 0].tolist()]
    assert values == pytest.approx([number * 0.980665 for number in range(120)], rel=1e-12)
    assert blocks[1].start_us - blocks[0].end_us == pytest.approx(0, abs=1_000)
    assert [one.raw for one in source.outlet.rejected] == [b"\x00noise"]


def test_json_lines_of_a_meter(device: Device) -> None:
    reading = {
        "format": {"kind": "json"},
        "time": {"field": "t", "format": "epoch_ms"},
        "sensors": [
            {
                "sensor_type": "KWH",
                "field": "wh",
                "unit": "Wh",
                "register": {"digits": 8, "resolution": 0.001},
            }
        ],
    }
    with running(_source(device, reading)) as source:
        source.outlet.wait_for(_is_open)
        device.send(b'{"t": 1700000000000, "wh": 12345678}\n')
        source.outlet.wait_for(lambda outlet: outlet.taken)
    (taken,) = source.outlet.taken
    assert isinstance(taken.measurement, RegisterReading)
    assert (taken.measurement.value, taken.measurement.start_us) == (12_345.678, 1_700_000_000_000_000)
    assert taken.measurement.register.digits == 8
    assert taken.timed_by_device


def test_a_slow_disk_holds_the_line_back_and_loses_nothing(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(_is_open)
        source.outlet.open.clear()
        for number in range(50):
            device.send(f"{number},40\n".encode())
        source.outlet.open.set()
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 100)
    assert [one.values[0, 0] for one in _samples(source.outlet)][::2] == list(range(50))


def test_a_stop_ends_a_source_whose_outlet_is_blocked(device: Device) -> None:
    with running(_source(device, CLIMATE)) as source:
        source.outlet.wait_for(_is_open)
        source.outlet.open.clear()
        device.send(b"21.5,40\n")
    assert source.outlet.taken == []


def test_silence_is_told_and_so_is_its_end(device: Device) -> None:
    with running(_source(device, CLIMATE, silence_s=0.05)) as source:
        source.outlet.wait_for(lambda outlet: any("silent" in detail for _, detail in outlet.states))
        device.send(b"21.5,40\n")
        source.outlet.wait_for(lambda outlet: outlet.taken and "silent" not in outlet.states[-1][1])


def _samples(outlet: CollectingOutlet) -> list[Samples]:
    return [one.measurement for one in outlet.taken if isinstance(one.measurement, Samples)]
