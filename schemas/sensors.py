"""The sensor catalogue: for each sensor type its unit, channels, valid range and session gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schemas.balance import PLATE_CHANNELS
from schemas.meshes import SCAN_CHANNELS
from schemas.pressure_devices import PRESSURE_DEVICES


class Domain(StrEnum):
    """The three fields that iot-brain serves."""

    HEALTH = "health"
    POWER = "power"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal of a sensor.

    Attributes:
        name: as it stands in `SampleBlock.channels`.
        x, y: where the sensor sits, in the sensor type's own coordinates; None where that has no meaning.
    """

    name: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """What is true of every reading of one sensor type.

    Attributes:
        sensor_type: as it stands in the envelope and in the record key.
        unit: of every value of this sensor.
        valid_min, valid_max: a value outside cannot come from a working sensor of this type.
        channels: all channels a block may carry; a block carries any of them, each once.
        session_gap_ms: a longer silence in sensor time ends the session.
        max_sample_rate_hz: a block that claims more is invalid.
    """

    sensor_type: str
    domain: Domain
    unit: str
    valid_min: float
    valid_max: float
    channels: tuple[Channel, ...]
    session_gap_ms: int = 5_000
    max_sample_rate_hz: float = 100_000.0

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The channel names in catalogue order."""
        return tuple(channel.name for channel in self.channels)


# Eight sensors under each foot; coordinates from the format text of the PhysioNet gaitpdb data set
# (arbitrary units, origin between the feet, y towards the toes).
_INSOLE_LEFT = ((-500, -800), (-700, -400), (-300, -400), (-700, 0), (-300, 0), (-700, 400), (-300, 400), (-500, 800))
INSOLE_CHANNELS = tuple(
    Channel(f"{side}{number}", float(sign * x), float(y))
    for side, sign in (("L", 1), ("R", -1))
    for number, (x, y) in enumerate(_INSOLE_LEFT, start=1)
)
"""L1..L8, R1..R8; the right foot mirrors the left."""

COUNTER_SENSOR = "KWH"
"""The sensor type of energy meters, which send `CounterReading`."""
SCAN_SENSOR = "SCANNER"
"""The sensor type of foot scanners, which send `Mesh`."""
GAIT_SENSOR = "GRF"
"""The sensor type of the gait features."""
PLATE_SENSOR = "FORCE_PLATE"
"""The sensor type of the balance features."""

# Meters report every second to every minute, climate sensors down to every five minutes.
_METER_GAP_MS = 2 * 60_000
_CLIMATE_GAP_MS = 10 * 60_000

# Between the scan of one foot and that of the other.
_SCAN_GAP_MS = 10 * 60_000

_VALUE = (Channel("value"),)
_PHASES = (*_VALUE, Channel("L1"), Channel("L2"), Channel("L3"))
"""`value` is the only conductor of a single-phase device; a three-phase one has L1, L2 and L3."""

_IMU = tuple(Channel(f"{sensor}_{axis}") for sensor in ("accel", "gyro", "magn") for axis in "xyz")
_PRESSURE = (
    Sensor(
        device.sensor_type,
        Domain.HEALTH,
        device.unit,
        0.0,
        device.valid_max,
        tuple(Channel(name) for name in device.channels),
        max_sample_rate_hz=device.max_frame_rate_hz,
    )
    for device in PRESSURE_DEVICES.values()
)

SENSORS: dict[str, Sensor] = {
    sensor.sensor_type: sensor
    for sensor in (
        Sensor(GAIT_SENSOR, Domain.HEALTH, "N", -200.0, 5_000.0, INSOLE_CHANNELS, max_sample_rate_hz=1_000.0),
        Sensor(
            PLATE_SENSOR,
            Domain.HEALTH,
            "N,Nm",
            -20_000.0,
            20_000.0,
            tuple(Channel(name) for name in PLATE_CHANNELS),
            max_sample_rate_hz=10_000.0,
        ),
        *_PRESSURE,
        Sensor("STAPPONE_IMU", Domain.HEALTH, "raw", -1e7, 1e7, _IMU, max_sample_rate_hz=500.0),
        Sensor(
            SCAN_SENSOR,
            Domain.HEALTH,
            "mm",
            0.0,
            5_000.0,
            tuple(Channel(name) for name in SCAN_CHANNELS),
            session_gap_ms=_SCAN_GAP_MS,
        ),
        Sensor("VOLT", Domain.POWER, "V", -100_000.0, 100_000.0, _PHASES, session_gap_ms=_METER_GAP_MS),
        Sensor("AMP", Domain.POWER, "A", -10_000.0, 10_000.0, _PHASES, session_gap_ms=_METER_GAP_MS),
        Sensor("WATT", Domain.POWER, "W", -10_000_000.0, 10_000_000.0, _PHASES, session_gap_ms=_METER_GAP_MS),
        Sensor(COUNTER_SENSOR, Domain.POWER, "kWh", 0.0, 1e12, _VALUE, session_gap_ms=_METER_GAP_MS),
        Sensor("TEMP", Domain.ENVIRONMENT, "degC", -60.0, 125.0, _VALUE, session_gap_ms=_CLIMATE_GAP_MS),
        Sensor("HUMID", Domain.ENVIRONMENT, "%", 0.0, 100.0, _VALUE, session_gap_ms=_CLIMATE_GAP_MS),
        Sensor("CO2", Domain.ENVIRONMENT, "ppm", 0.0, 40_000.0, _VALUE, session_gap_ms=_CLIMATE_GAP_MS),
        Sensor("PM25", Domain.ENVIRONMENT, "ug/m3", 0.0, 10_000.0, _VALUE, session_gap_ms=_CLIMATE_GAP_MS),
    )
}
