"""One message of a device read and handed over: the way that MQTT and HTTP share.

A message holds whole readings, so nothing of it waits for the next message, and it can be acknowledged as one.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.instant import Instant, SteadyWall
from edge.sources.assembling import Assembled, Assembler, check_times
from edge.sources.interpreter import Interpreter
from edge.sources.sensor_settings import ReadingSettings
from edge.sources.source import Acknowledge, Outlet, Receipt, Rejected, Taken
from schemas.envelope import IDENTIFIER
from schemas.errors import InvalidMessage, Reason


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says.

    Attributes:
        device_id: who sent it; the fallback where the message does not tell.
        assembled: its measurements.
        error: what is wrong with the rest of it; None if all is well.
    """

    device_id: str
    assembled: tuple[Assembled, ...]
    error: InvalidMessage | None


class MessageReader:
    """Reads messages of one format.

    Args:
        settings: format, time and sensors.
        fallback_device_id: for messages that do not tell their device.
        device_field: which field names the device; None if none does.
    """

    def __init__(self, settings: ReadingSettings, fallback_device_id: str, device_field: str | None = None) -> None:
        self._settings = settings
        self._fallback_device_id = fallback_device_id
        self._interpreter = Interpreter(settings, device_field)

    def read(self, body: bytes, now: Instant, *, device_id: str | None = None, sensor: str | None = None) -> Reading:
        """Read a message; raises nothing, whatever its bytes.

        Args:
            body: the message.
            now: when it came.
            device_id: as its topic or address tells it.
            sensor: what its topic calls the sensor.
        """
        said = self._interpreter.read(body, sensor)
        device = said.device or device_id or self._fallback_device_id
        if IDENTIFIER.fullmatch(device) is None:
            detail = f"device {device[:200]!r} does not match {IDENTIFIER.pattern}"
            return Reading(self._fallback_device_id, (), InvalidMessage(Reason.BAD_IDENTIFIER, detail))
        untimed = check_times(said.values, self._settings)
        if untimed is not None:
            return Reading(device, (), untimed)
        assembler = Assembler(self._settings, SteadyWall())
        assembled = (*assembler.add(said.values, now), *assembler.flush())
        return Reading(device, assembled, said.error())


def hand_over(reading: Reading, raw: bytes, now: Instant, outlet: Outlet, acknowledge: Acknowledge | None) -> None:
    """Put what a message says into the outlet, and reject it where something is wrong with it.

    Args:
        reading: what it says.
        raw: its original bytes.
        now: when it came.
        outlet: of the source.
        acknowledge: called when all of it is on disk, the dead letter included.

    Raises:
        Stopped: if the agent stops.
    """
    receipt = None if acknowledge is None else Receipt(acknowledge)
    for one in reading.assembled:
        part = None if receipt is None else receipt.part()
        outlet.put(Taken(reading.device_id, one.measurement, one.taken, one.timed_by_device, part))
    if reading.error is not None:
        part = None if receipt is None else receipt.part()
        outlet.reject(Rejected(reading.device_id, raw, reading.error, now, part))
    if receipt is not None:
        receipt.seal()
