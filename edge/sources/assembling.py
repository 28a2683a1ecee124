"""Values of sensors become measurements: single readings at once, samples at a fixed rate gathered into blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge.framing import Framing
from edge.instant import Instant, SteadyWall
from edge.measurement import Measurement, Register, RegisterReading, Samples, samples_us
from edge.sources.gathering import Arrival, Block, Gatherer, Gathering
from edge.sources.interpreter import Values
from edge.sources.sensor_settings import ReadingSettings, SensorSettings
from schemas.errors import InvalidMessage, Reason
from schemas.sensors import COUNTER_SENSOR, SENSORS


class Assembled(NamedTuple):
    """A measurement, when its last sample came, and whether the device told its time."""

    measurement: Measurement
    taken: Instant
    timed_by_device: bool


class Assembler:
    """Makes measurements of what one device says.

    Args:
        settings: of its readings.
        steady: the wall time of what the agent times.
    """

    def __init__(self, settings: ReadingSettings, steady: SteadyWall) -> None:
        self._sensors = [_sensor(sensor, settings.block_s, steady) for sensor in settings.sensors]

    def add(self, values: Sequence[Values], now: Instant) -> list[Assembled]:
        """Take the values of one message, which came at `now`; the measurements that they complete."""
        done: list[Assembled] = []
        for index, sensor in enumerate(self._sensors):
            mine = [one for one in values if one.sensor == index]
            if mine:
                done += sensor.add(mine, now)
        return done

    def overdue(self, now: Instant) -> list[Assembled]:
        """Blocks that wait for samples of a device that has fallen silent."""
        return [one for sensor in self._sensors for one in sensor.overdue(now)]

    def flush(self) -> list[Assembled]:
        """Everything that waits."""
        return [one for sensor in self._sensors for one in sensor.flush()]


class _Single:
    """Readings without a rate: each is a measurement."""

    def __init__(self, settings: SensorSettings, steady: SteadyWall) -> None:
        self._steady = steady
        self._sensor = SENSORS[settings.sensor_type]
        self._channels = tuple(channel.name for channel in settings.resolved_channels())
        given = settings.register_settings
        self._register = Register(given.digits, given.resolution) if given else Register()

    def add(self, values: Sequence[Values], now: Instant) -> Iterator[Assembled]:
        for one in values:
            by_device = one.device_us is not None
            start_us = self._steady.wall_us(now) if one.device_us is None else one.device_us
            yield Assembled(self._measurement(one, start_us), now, by_device)

    def _measurement(self, one: Values, start_us: int) -> Measurement:
        sensor = self._sensor
        if sensor.sensor_type == COUNTER_SENSOR:
            return RegisterReading(start_us, float(one.values[0, 0]), sensor.unit, self._register)
        return Samples(sensor.sensor_type, self._channels, sensor.unit, 0.0, start_us, one.values)

    def overdue(self, now: Instant) -> list[Assembled]:
        del now
        return []

    def flush(self) -> list[Assembled]:
        return []


class _Gathered:
    """Samples at a fixed rate: they travel in blocks."""

    def __init__(self, settings: SensorSettings, block_s: float, steady: SteadyWall) -> None:
        self._steady = steady
        self._sensor = SENSORS[settings.sensor_type]
        self._channels = tuple(channel.name for channel in settings.resolved_channels())
        self._rate_hz = settings.sample_rate_hz
        gathering = Gathering(
            self._rate_hz,
            Framing(block_s).block_samples(len(self._channels), self._rate_hz),
            settings.jitter_ms * 1_000,
            settings.count.modulus if settings.count else None,
        )
        self._gatherer = Gatherer(gathering)

    def add(self, values: Sequence[Values], now: Instant) -> Iterator[Assembled]:
        # Without a device's clock the last sample of the message is the one that came now.
        left = sum(len(one.values) for one in values)
        for one in values:
            start_us = one.device_us
            if start_us is None:
                start_us = self._steady.wall_us(now) - samples_us(left - 1, self._rate_hz)
            left -= len(one.values)
            arrival = Arrival(start_us, one.values, now, one.device_us is not None, one.count)
            yield from map(self._assembled, self._gatherer.add(arrival))

    def overdue(self, now: Instant) -> list[Assembled]:
        return [self._assembled(block) for block in self._gatherer.overdue(now.monotonic_ms)]

    def flush(self) -> list[Assembled]:
        return [self._assembled(block) for block in self._gatherer.flush()]

    def _assembled(self, block: Block) -> Assembled:
        sensor = self._sensor
        samples = Samples(sensor.sensor_type, self._channels, sensor.unit, self._rate_hz, block.start_us, block.values)
        return Assembled(samples, block.taken, block.timed_by_device)


def _sensor(settings: SensorSettings, block_s: float, steady: SteadyWall) -> _Single | _Gathered:
    return _Gathered(settings, block_s, steady) if settings.sample_rate_hz else _Single(settings, steady)


def check_times(values: Sequence[Values], settings: ReadingSettings) -> InvalidMessage | None:
    """Why a message cannot be placed in time: several single readings of one sensor, and no word of when each was."""
    for index, sensor in enumerate(settings.sensors):
        untimed = sum(one.sensor == index and one.device_us is None for one in values)
        if untimed > 1 and not sensor.sample_rate_hz:
            detail = f"{untimed} readings of {sensor.sensor_type} in one message without a time or a sample_rate_hz"
            return InvalidMessage(Reason.BAD_TIMESTAMP, detail)
    return None
