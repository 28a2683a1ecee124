"""What a synthetic device measures: for each kind of sensor the signal and its parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.sources.model import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]
_PEDAR = Literal["PEDAR", "PEDAR_U", "PEDAR_V", "PEDAR_W", "PEDAR_X", "PEDAR_Y", "PEDAR_UW", "PEDAR_VW", "PEDAR_XW"]


class GaitSettings(Section):
    """A walker on insoles (`edge.recordings.synthetic_gait`): walks, rests, walks again; each walk is a session.

    Attributes:
        asymmetry, stride_time_cv, body_mass_kg: as in `GaitModel`.
    """

    sensor_type: Literal["GRF"]
    sample_rate_hz: float = Field(100.0, gt=0.0, le=1_000.0)
    walk_s: float = Field(60.0, ge=2.0, le=3_600.0)
    rest_s: float = Field(10.0, ge=0.0, le=3_600.0)
    asymmetry: float = Field(0.0, ge=-0.2, le=0.2)
    stride_time_cv: float = Field(0.02, ge=0.0, le=0.15)
    body_mass_kg: float = Field(70.0, ge=10.0, le=300.0)


class PlateSettings(Section):
    """Somebody who stands on a force plate: the centre of pressure sways on two sines in each direction."""

    sensor_type: Literal["FORCE_PLATE"]
    sample_rate_hz: float = Field(100.0, gt=0.0, le=10_000.0)
    body_mass_kg: float = Field(70.0, ge=10.0, le=300.0)
    sway_mm: float = Field(8.0, ge=0.0, le=100.0)
    noise_newton: float = Field(0.2, ge=0.0, le=10.0)


class PressureSettings(Section):
    """A foot that rolls over a sole or platform, step after step, from heel to toe."""

    sensor_type: Literal["EMED", "FSCAN", "FSCAN_LEFT", "FSCAN_RIGHT", "STAPPONE"] | _PEDAR
    sample_rate_hz: float = Field(50.0, gt=0.0, le=500.0)
    peak: float = Field(250.0, gt=0.0, le=2_500.0)
    step_s: float = Field(1.1, ge=0.4, le=5.0)


class MotionSettings(Section):
    """The motion unit of a sole: each axis swings with the step, in device units."""

    sensor_type: Literal["STAPPONE_IMU"]
    sample_rate_hz: float = Field(50.0, gt=0.0, le=500.0)
    amplitude: float = Field(2_000.0, gt=0.0, le=1e6)
    step_s: float = Field(1.1, ge=0.4, le=5.0)


class WaveformSettings(Section):
    """Voltage or current as a wave.

    Attributes:
        rms: of the fundamental, in V or A.
        harmonics: order -> share of the fundamental.
        lag_deg: behind the angle 0 at the start.
        conductors: 1 (`value`) or 3 (`L1`, `L2`, `L3`, each a third of a turn behind the one before).
    """

    sensor_type: Literal["VOLT", "AMP"]
    sample_rate_hz: float = Field(3_200.0, gt=0.0, le=100_000.0)
    rms: float = Field(230.0, gt=0.0, le=6_000.0)
    frequency_hz: float = Field(50.0, gt=0.0, le=1_000.0)
    harmonics: dict[Annotated[int, Field(ge=2, le=50)], Share] = Field(default_factory=dict)
    lag_deg: float = Field(0.0, ge=-360.0, le=360.0)
    conductors: Literal[1, 3] = 1
    noise: float = Field(0.0, ge=0.0, le=100.0)


class LoadSettings(Section):
    """The power of a home: a base and an appliance that is on for `on_s` of every `cycle_s`.

    Attributes:
        interval_s: between two readings.
    """

    sensor_type: Literal["WATT"]
    interval_s: float = Field(1.0, ge=0.01, le=3_600.0)
    base_watt: float = Field(120.0, ge=0.0, le=1e6)
    appliance_watt: float = Field(1_500.0, ge=0.0, le=1e6)
    cycle_s: float = Field(600.0, gt=0.0, le=86_400.0)
    on_s: float = Field(180.0, ge=0.0, le=86_400.0)
    noise: float = Field(0.0, ge=0.0, le=1_000.0)


class MeterSettings(Section):
    """The register of an energy meter behind such a home; it shows whole steps and starts again at its end."""

    sensor_type: Literal["KWH"]
    interval_s: float = Field(10.0, ge=0.01, le=3_600.0)
    base_watt: float = Field(120.0, ge=0.0, le=1e6)
    appliance_watt: float = Field(1_500.0, ge=0.0, le=1e6)
    cycle_s: float = Field(600.0, gt=0.0, le=86_400.0)
    on_s: float = Field(180.0, ge=0.0, le=86_400.0)
    start_kwh: float = Field(12_345.0, ge=0.0, le=1e9)
    digits: int = Field(8, ge=1, le=12)
    resolution: float = Field(0.001, gt=0.0, le=1.0)


class ClimateSettings(Section):
    """A value that goes up and down with the hours of the day (UTC), highest at `peak_hour`.

    Attributes:
        mean, swing: in the sensor's unit; by default what a room has.
    """

    sensor_type: Literal["TEMP", "HUMID", "CO2", "PM25"]
    interval_s: float = Field(60.0, ge=0.01, le=3_600.0)
    mean: float | None = Field(None, allow_inf_nan=False)
    swing: float | None = Field(None, ge=0.0, allow_inf_nan=False)
    peak_hour: float = Field(15.0, ge=0.0, le=24.0)
    noise: float = Field(0.0, ge=0.0, le=1_000.0)


SignalSettings = Annotated[
    GaitSettings
    | PlateSettings
    | PressureSettings
    | MotionSettings
    | WaveformSettings
    | LoadSettings
    | MeterSettings
    | ClimateSettings,
    Field(discriminator="sensor_type"),
]
