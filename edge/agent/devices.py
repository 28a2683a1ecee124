"""What the agent knows of its devices: counts, the next sequence, and who has fallen silent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from edge.agent.settings import StatusSettings

_STEPS = 16
"""So many steps between readings tell the cadence."""
_FEWEST_STEPS = 3


@dataclass(slots=True)
class Sensor:
    """When a sensor spoke.

    Attributes:
        last_ms: monotonic clock at its last reading.
        steps_ms: from reading to reading, the latest ones.
        silent: whether that was told.
    """

    last_ms: int
    steps_ms: deque[int] = field(default_factory=lambda: deque(maxlen=_STEPS))
    silent: bool = False

    def heard(self, now_ms: int) -> bool:
        """Note a reading; whether the sensor was silent before it."""
        if not self.silent:
            self.steps_ms.append(max(0, now_ms - self.last_ms))
        was_silent, self.silent, self.last_ms = self.silent, False, max(self.last_ms, now_ms)
        return was_silent

    def cadence_ms(self) -> float | None:
        """The usual step between readings; None before it is known."""
        return median(self.steps_ms) if len(self.steps_ms) >= _FEWEST_STEPS else None


@dataclass(slots=True)
class Device:
    """One device.

    Attributes:
        source: through which it speaks.
        sequence: of its next event within this start of the agent.
        read, spooled, rejected: measurements taken; events on disk; what could not be read.
        sensors: by type.
    """

    source: str
    sequence: int = 0
    read: int = 0
    spooled: int = 0
    rejected: int = 0
    sensors: dict[str, Sensor] = field(default_factory=dict)

    @property
    def silent(self) -> list[str]:
        """The sensors that have fallen silent."""
        return sorted(name for name, sensor in self.sensors.items() if sensor.silent)


@dataclass(frozen=True, slots=True)
class Silence:
    """A sensor fell silent, or spoke again."""

    device_id: str
    sensor_type: str
    silent: bool
    detail: str


class Devices:
    """All devices that spoke since the agent was started.

    Args:
        settings: when a sensor counts as silent.
    """

    def __init__(self, settings: StatusSettings) -> None:
        self._settings = settings
        self.known: dict[str, Device] = {}

    def device(self, device_id: str, source: str) -> Device:
        """A device, known from now on."""
        return self.known.setdefault(device_id, Device(source))

    def heard(self, device_id: str, sensor_type: str, now_ms: int) -> Silence | None:
        """Note a reading of a known device at `now_ms` of the monotonic clock; tells if it ends a silence."""
        device = self.known[device_id]
        device.read += 1
        sensor = device.sensors.get(sensor_type)
        if sensor is None:
            device.sensors[sensor_type] = Sensor(now_ms)
            return None
        return Silence(device_id, sensor_type, silent=False, detail="speaks again") if sensor.heard(now_ms) else None

    def fallen_silent(self, now_ms: int) -> list[Silence]:
        """The sensors that have been silent for too long since the last call."""
        silences = []
        for device_id, device in self.known.items():
            for sensor_type, sensor in device.sensors.items():
                cadence_ms = sensor.cadence_ms()
                if sensor.silent or cadence_ms is None:
                    continue
                limit_ms = max(cadence_ms * self._settings.silent_after, self._settings.silent_least_s * 1_000)
                if now_ms - sensor.last_ms > limit_ms:
                    sensor.silent = True
                    detail = (
                        f"nothing for {(now_ms - sensor.last_ms) / 1_000:.1f} s, usual step {cadence_ms / 1_000:.3g} s"
                    )
                    silences.append(Silence(device_id, sensor_type, silent=True, detail=detail))
        return silences
