"""Which field of a message is which channel of which sensor, in which unit; checked against the sensor catalogue."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from edge.sources.format_settings import VALUE, FormatSettings, JsonSettings, known_fields
from edge.sources.model import Section, complain
from edge.sources.units import Conversion, channel_unit, conversion, known_units
from schemas.sensors import COUNTER_SENSOR, SCAN_SENSOR, SENSORS

ALL = "all"
_SMALLEST_SCALE = 1e-12


class TimeSettings(Section):
    """Where a message tells its time.

    Attributes:
        without_zone_is_utc: whether ISO 8601 without a zone is UTC; else it is rejected.
        if_unset: what a time before 2020 means: reject the reading, or let the agent's clock time it.
    """

    field: str = Field(min_length=1)
    format: Literal["epoch_s", "epoch_ms", "epoch_us", "iso8601"] = "epoch_s"
    without_zone_is_utc: bool = False
    if_unset: Literal["reject", "agent"] = "reject"


class CountSettings(Section):
    """A field in which the device counts its samples: a missed number is a missed sample.

    Attributes:
        modulus: after `modulus - 1` comes 0.
    """

    field: str = Field(min_length=1)
    modulus: int = Field(256, ge=2, le=2**53)


class ChannelSettings(Section):
    """One channel: `value = raw x scale + offset` in `unit`, then converted into the catalogue's unit.

    Attributes:
        name: of the catalogue.
        field: of the message; by default the channel's name.
        unit, scale, offset: by default those of the sensor.
    """

    name: str
    field: str | None = Field(None, min_length=1)
    unit: str | None = None
    scale: float | None = Field(None, allow_inf_nan=False)
    offset: float | None = Field(None, allow_inf_nan=False)


class RegisterSettings(Section):
    """How an energy meter's register counts; see `edge.measurement.Register`."""

    digits: int = Field(0, ge=0, le=12)
    resolution: float = Field(0.0, ge=0.0, allow_inf_nan=False)


class SensorSettings(Section):
    """One sensor of a device.

    Attributes:
        sensor_type: of the catalogue.
        name: what a topic calls it; by default the sensor type.
        channels: names, or names with their own field, unit and scale, or "all"; by default `value` where the sensor
            has it, else all.
        field: of the message, for a sensor with one channel.
        unit, scale, offset: of every channel that does not say otherwise; by default the catalogue's unit, 1 and 0.
        sample_rate_hz: of readings at a fixed rate, which are gathered into blocks; 0 for single readings.
        jitter_ms: how far the arrival of a sample may be from its place where the agent tells the time.
        count: a field in which the device counts its samples.
        register_settings: of an energy meter; `register` in the configuration.
    """

    sensor_type: str
    name: str | None = Field(None, min_length=1)
    channels: tuple[ChannelSettings, ...] = ()
    field: str | None = Field(None, min_length=1)
    unit: str | None = None
    scale: float = Field(1.0, allow_inf_nan=False)
    offset: float = Field(0.0, allow_inf_nan=False)
    sample_rate_hz: float = Field(0.0, ge=0.0, allow_inf_nan=False)
    jitter_ms: int = Field(50, ge=0, le=10_000)
    count: CountSettings | None = None
    register_settings: RegisterSettings | None = Field(None, alias="register")

    @field_validator("channels", mode="before")
    @classmethod
    def _names_are_channels(cls, value: object, info: ValidationInfo) -> object:
        if value == ALL:
            sensor = SENSORS.get(info.data.get("sensor_type", ""))
            return () if sensor is None else tuple({"name": name} for name in sensor.channel_names)
        if isinstance(value, list | tuple):
            return tuple({"name": item} if isinstance(item, str) else item for item in value)
        return value

    @property
    def topic_name(self) -> str:
        """What a topic calls it."""
        return self.name or self.sensor_type

    def resolved_channels(self) -> tuple[ChannelSettings, ...]:
        """The channels with all their defaults filled in."""
        sensor = SENSORS[self.sensor_type]
        names = sensor.channel_names
        given = self.channels or tuple(ChannelSettings(name=name) for name in ((VALUE,) if VALUE in names else names))
        return tuple(
            ChannelSettings(
                name=channel.name,
                field=channel.field or self.field or channel.name,
                unit=channel.unit or self.unit or channel_unit(self.sensor_type, channel.name, sensor.unit),
                scale=self.scale if channel.scale is None else channel.scale,
                offset=self.offset if channel.offset is None else channel.offset,
            )
            for channel in given
        )

    def conversions(self) -> tuple[Conversion, ...]:
        """For each resolved channel the way from the raw number into the catalogue's unit."""
        found = [self._conversion(channel) for channel in self.resolved_channels()]
        return tuple(one for one in found if one is not None)

    def _conversion(self, channel: ChannelSettings) -> Conversion | None:
        target = channel_unit(self.sensor_type, channel.name, SENSORS[self.sensor_type].unit)
        into = conversion(channel.unit or target, target)
        return None if into is None else into.after(channel.scale or 0.0, channel.offset or 0.0)

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        sensor = SENSORS.get(self.sensor_type)
        if sensor is None:
            raise ValueError(f"sensor_type {self.sensor_type!r} is not in the catalogue: {', '.join(SENSORS)}")
        problems = self._channel_problems()
        if self.sensor_type == SCAN_SENSOR:
            problems.append(f"{SCAN_SENSOR} sends meshes, not readings: replay its files")
        if self.sample_rate_hz > sensor.max_sample_rate_hz:
            problems.append(f"sample_rate_hz={self.sample_rate_hz:g}, at most {sensor.max_sample_rate_hz:g}")
        if self.sensor_type == COUNTER_SENSOR and self.sample_rate_hz:
            problems.append(f"sample_rate_hz: a {COUNTER_SENSOR} register is read one by one")
        if self.sensor_type != COUNTER_SENSOR and self.register_settings is not None:
            problems.append(f"register: only {COUNTER_SENSOR} has one")
        if self.count is not None and not self.sample_rate_hz:
            problems.append("count: needs a sample_rate_hz")
        complain([f"{self.sensor_type}: {problem}" for problem in problems])
        return self

    def _channel_problems(self) -> list[str]:
        known = SENSORS[self.sensor_type].channel_names
        counts = Counter(channel.name for channel in self.channels)
        problems = [f"no channel {name!r}: {_some(known)}" for name in counts.keys() - set(known)]
        problems += [f"channel {name!r} twice" for name, count in counts.items() if count > 1]
        if problems:
            return problems
        resolved = self.resolved_channels()
        if self.field is not None and len(resolved) > 1:
            problems.append("field: each of several channels needs its own")
        for channel in resolved:
            target = channel_unit(self.sensor_type, channel.name, SENSORS[self.sensor_type].unit)
            if self._conversion(channel) is None:
                units = ", ".join(known_units(target))
                problems.append(
                    f"channel {channel.name}: no way from unit {channel.unit!r} to {target}; known: {units}"
                )
            if not _SMALLEST_SCALE <= abs(channel.scale or 0.0) <= 1.0 / _SMALLEST_SCALE:
                problems.append(f"channel {channel.name}: scale={channel.scale:g} is not within 1e-12 to 1e12")
        return problems


class ReadingSettings(Section):
    """How a device's messages become readings.

    Attributes:
        format: of a message.
        time: where a message tells its time; None lets the agent's clock tell it.
        block_s: length of the blocks into which samples at a fixed rate are gathered.
    """

    format: FormatSettings = Field(default_factory=JsonSettings)
    time: TimeSettings | None = None
    sensors: tuple[SensorSettings, ...] = Field(min_length=1)
    block_s: float = Field(1.0, gt=0.0, le=60.0)

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        problems = []
        known = known_fields(self.format)
        for place, field in self._fields():
            if known is not None and field not in known:
                problems.append(f"{place}: the format has no field {field!r}: {_some(known)}")
        kinds = Counter(sensor.topic_name for sensor in self.sensors)
        problems += [f"sensors: {kind} twice" for kind, count in kinds.items() if count > 1]
        complain(problems)
        return self

    def _fields(self) -> list[tuple[str, str]]:
        """Every field that is asked for, with the place where it is named."""
        fields = [] if self.time is None else [("time", self.time.field)]
        for sensor in self.sensors:
            fields += [
                (f"{sensor.sensor_type}.{channel.name}", channel.field or channel.name)
                for channel in sensor.resolved_channels()
            ]
            if sensor.count is not None:
                fields.append((f"{sensor.sensor_type}.count", sensor.count.field))
        return fields


def _some(names: tuple[str, ...], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
