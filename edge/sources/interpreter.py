"""A message's fields become values of sensors, in the catalogue's units, within its ranges, at the device's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.sources.device_time import device_us
from edge.sources.formats import Fields, make_decoder
from edge.sources.numbers import as_text, to_number
from edge.sources.sensor_settings import ReadingSettings, SensorSettings, TimeSettings
from edge.sources.units import Conversions
from schemas.errors import InvalidMessage, Reason
from schemas.sensors import SENSORS


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What one reading says of one sensor.

    Attributes:
        sensor: its place in the settings.
        values: shape [n, channels], n >= 1, in the catalogue's unit.
        device_us: the device's time of the first sample, us since the epoch; None if it does not tell.
        count: the device's number of the first sample; None if it does not count.
    """

    sensor: int
    values: NDArray[np.float64]
    device_us: int | None
    count: int | None


@dataclass(slots=True)
class Interpreted:
    """What a message says, and what is wrong with it; each sensor of a message is judged on its own.

    Attributes:
        device: what the field of the device holds, where the format has one.
    """

    values: list[Values] = field(default_factory=list)
    errors: list[InvalidMessage] = field(default_factory=list)
    device: str | None = None

    def error(self) -> InvalidMessage | None:
        """All that is wrong in one error, with the reason of the first; None if nothing is."""
        if not self.errors:
            return None
        details = dict.fromkeys(error.detail for error in self.errors)
        return InvalidMessage(self.errors[0].reason, "; ".join(details))


class Interpreter:
    """Reads the messages of one kind of device.

    Args:
        settings: format, time and sensors.
        device_field: which field names the device; the same in all readings of a message.
    """

    def __init__(self, settings: ReadingSettings, device_field: str | None = None) -> None:
        self._decode = make_decoder(settings.format)
        self._sensors = [_SensorReader(index, sensor) for index, sensor in enumerate(settings.sensors)]
        self._time = settings.time
        self._device_field = device_field

    def read(self, body: bytes, sensor_name: str | None = None) -> Interpreted:
        """Read a message; raises nothing, whatever its bytes.

        Args:
            body: the message.
            sensor_name: what the topic calls the sensor that it speaks of; None means any.
        """
        result = Interpreted()
        try:
            sensors = self._sensors_named(sensor_name)
            for fields in self._decode(body):
                self._read_device(fields, result)
                self._read_sensors(fields, sensors, result)
        except InvalidMessage as error:
            result.errors.append(error)
        return result

    def _sensors_named(self, name: str | None) -> list[_SensorReader]:
        if name is None:
            return self._sensors
        found = [sensor for sensor in self._sensors if sensor.topic_name == name]
        if not found:
            known = ", ".join(sensor.topic_name for sensor in self._sensors)
            raise InvalidMessage(Reason.UNKNOWN_SENSOR, f"sensor {as_text(name)} is none of {known}")
        return found

    def _read_device(self, fields: Fields, result: Interpreted) -> None:
        if self._device_field is None:
            return
        value = _required(fields, self._device_field)
        if not isinstance(value, str) or (result.device is not None and value != result.device):
            what = "is no text" if not isinstance(value, str) else "is a second device in one message"
            raise InvalidMessage(Reason.BAD_IDENTIFIER, f"field {self._device_field!r}: {as_text(value)} {what}")
        result.device = value

    def _read_sensors(self, fields: Fields, sensors: Sequence[_SensorReader], result: Interpreted) -> None:
        spoken = False
        for sensor in sensors:
            try:
                found = sensor.read(fields, self._time)
            except InvalidMessage as error:
                spoken = True
                result.errors.append(error)
            else:
                if found is not None:
                    spoken = True
                    result.values.append(found)
        if not spoken:
            wanted = ", ".join(repr(name) for sensor in sensors for name in sensor.fields[:4])
            raise InvalidMessage(Reason.MALFORMED_PAYLOAD, f"none of the fields {wanted} is there")


class _SensorReader:
    """One sensor's way from fields to values."""

    def __init__(self, index: int, settings: SensorSettings) -> None:
        channels = settings.resolved_channels()
        conversions = settings.conversions()
        self.topic_name = settings.topic_name
        self.fields = tuple(channel.field or channel.name for channel in channels)
        self._index = index
        self._channels = tuple(channel.name for channel in channels)
        self._convert = Conversions(conversions)
        self._sensor = SENSORS[settings.sensor_type]
        self._rate_hz = settings.sample_rate_hz
        self._count = settings.count

    def read(self, fields: Fields, time: TimeSettings | None) -> Values | None:
        """The sensor's values; None if the reading does not speak of it.

        Raises:
            InvalidMessage: naming the field that is missing or wrong.
        """
        columns = [_optional(fields, name) for name in self.fields]
        if all(column is _ABSENT for column in columns):
            return None
        values = self._convert(self._raw(columns))
        self._check_range(values)
        device_time_us = None if time is None else device_us(_required(fields, time.field), time)
        return Values(self._index, values, device_time_us, self._count_of(fields))

    def _raw(self, columns: Sequence[object]) -> NDArray[np.float64]:
        numbers = [self._column(column, name) for column, name in zip(columns, self.fields, strict=True)]
        for column, name in zip(numbers, self.fields, strict=True):
            if len(column) != len(numbers[0]):
                detail = f"field {name!r} has {len(column)} values, {self.fields[0]!r} has {len(numbers[0])}"
                raise InvalidMessage(Reason.SAMPLE_COUNT_MISMATCH, detail)
        return np.array(numbers).T

    def _column(self, value: object, name: str) -> list[float]:
        if value is _ABSENT:
            raise _missing(name)
        if not isinstance(value, list):
            return [to_number(value, name)]
        if not value or self._rate_hz == 0.0:
            what = "is empty" if not value else "needs a sample_rate_hz"
            raise InvalidMessage(Reason.SAMPLE_COUNT_MISMATCH, f"field {name!r}: a list of {len(value)} values {what}")
        return [to_number(item, f"{name}.{place}") for place, item in enumerate(value)]

    def _check_range(self, values: NDArray[np.float64]) -> None:
        sensor = self._sensor
        bad = np.argwhere(~((values >= sensor.valid_min) & (values <= sensor.valid_max)))
        if len(bad):
            row, column = bad[0]
            detail = (
                f"field {self.fields[column]!r}: channel {self._channels[column]} = {values[row, column]:g} "
                f"{sensor.unit}, {sensor.sensor_type} has {sensor.valid_min:g} to {sensor.valid_max:g}"
            )
            raise InvalidMessage(Reason.VALUE_OUT_OF_RANGE, detail)

    def _count_of(self, fields: Fields) -> int | None:
        if self._count is None:
            return None
        number = to_number(_required(fields, self._count.field), self._count.field)
        if not number.is_integer() or not 0 <= number < self._count.modulus:
            detail = f"field {self._count.field!r}: {number:g} is no count below {self._count.modulus}"
            raise InvalidMessage(Reason.MALFORMED_PAYLOAD, detail)
        return int(number)


_ABSENT = object()


def _optional(fields: Fields, name: str) -> object:
    try:
        return fields.get(name)
    except KeyError:
        return _ABSENT


def _required(fields: Fields, name: str) -> object:
    try:
        return fields.get(name)
    except KeyError:
        raise _missing(name) from None


def _missing(name: str) -> InvalidMessage:
    return InvalidMessage(Reason.MALFORMED_PAYLOAD, f"field {name!r} is missing")
