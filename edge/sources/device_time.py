"""The time that a device writes into its messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from edge.retiming import UNSET_BEFORE_MS
from edge.sources.numbers import as_text, to_number
from edge.sources.sensor_settings import TimeSettings
from schemas.errors import InvalidMessage, Reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_US_PER_UNIT = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_LATEST_US = 253_402_300_800_000_000
"""The year 10000: behind it is no time, but a number in another unit."""


def device_us(value: object, settings: TimeSettings) -> int | None:
    """A device's time, us since the epoch.

    Returns:
        None where the device's clock is not set and the agent's counts instead.

    Raises:
        InvalidMessage: if the value is no time of that format, or the device's clock is not set.
    """
    time_us = _from_iso(value, settings) if settings.format == "iso8601" else _from_number(value, settings)
    if time_us >= UNSET_BEFORE_MS * 1_000:
        return time_us
    if settings.if_unset == "agent":
        return None
    raise _bad(settings, f"{as_text(value)}: the device's clock is not set")


def _from_number(value: object, settings: TimeSettings) -> int:
    number = Fraction(to_number(value, settings.field))
    time_us = round(number * _US_PER_UNIT[settings.format])
    if not 0 <= time_us < _LATEST_US:
        raise _bad(settings, f"{as_text(value)} is no time in {settings.format}")
    return time_us


def _from_iso(value: object, settings: TimeSettings) -> int:
    try:
        time = datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise _bad(settings, f"{as_text(value)} is no time in ISO 8601") from None
    if time.tzinfo is None:
        if not settings.without_zone_is_utc:
            raise _bad(settings, f"{as_text(value)} has no time zone")
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _US


def _bad(settings: TimeSettings, detail: str) -> InvalidMessage:
    return InvalidMessage(Reason.BAD_TIMESTAMP, f"field {settings.field!r}: {detail}")
