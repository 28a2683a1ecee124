"""A synthetic walker: the vertical force under each foot, with the truth it was made from.

Each stance is the double hump of normal walking: a steep rise to the first peak F1 (weight acceptance), the
mid-stance valley Fmin, the second peak F2 (push-off) and the fall to zero. The total is spread over the eight
sensors of the insole by a centre of pressure that rolls from heel to toe, so the sensors sum to the total.
Shape and typical values: Winter, Biomechanics and Motor Control of Human Movement, 4th ed., 2009, chapter 5.
It is a test signal with known events, not a model of a disease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from schemas.errors import SettingsError
from schemas.sensors import SENSORS

Floats = NDArray[np.float64]
Side = Literal["left", "right"]

GRAVITY_M_PER_S2 = 9.80665
SENSOR = SENSORS["GRF"]
FORCE_STEP_NEWTON = 0.01
"""Forces are rounded to the step of the gaitpdb recordings, so they survive its text and packed forms."""

_SENSORS_PER_FOOT = 8
_MAX_DEVIATIONS = 3.0
_KNOTS = (0.0, 0.23, 0.50, 0.77, 1.0)
_HEEL_Y, _TOE_Y = -800.0, 800.0
_SPREAD_X, _SPREAD_Y = 250.0, 400.0
_SENSOR_NOISE = 0.01


@dataclass(frozen=True, slots=True)
class GaitModel:
    """How the walker walks.

    Attributes:
        stride_time_s: mean time from heel strike to the next heel strike of one foot.
        stride_time_cv: standard deviation of the stride time over its mean; strides are drawn independently.
        stance_share: mean share of stance in the stride; above 0.5 both feet are on the ground twice a stride.
        asymmetry: (left - right) / mean of stance share and of load; 0.1 = the left foot gets 10 % more.
        f1_bw, fmin_bw, f2_bw: peaks and valley of the total force in body weights, at asymmetry 0.
        load_cv: standard deviation of the force of a whole stance over its mean.

    Raises:
        SettingsError: naming every value outside its range.
    """

    body_mass_kg: float = 70.0
    stride_time_s: float = 1.1
    stride_time_cv: float = 0.02
    stance_share: float = 0.62
    asymmetry: float = 0.0
    f1_bw: float = 1.10
    fmin_bw: float = 0.75
    f2_bw: float = 1.08
    load_cv: float = 0.02

    def __post_init__(self) -> None:
        bad = [
            f"{name}={value:g} is not within {low:g} to {high:g}"
            for name, low, high in _RANGES
            if not low <= (value := float(getattr(self, name))) <= high
        ]
        if bad:
            raise SettingsError("gait model: " + "; ".join(bad))


_RANGES = (
    ("body_mass_kg", 10.0, 300.0),
    ("stride_time_s", 0.4, 5.0),
    ("stride_time_cv", 0.0, 0.15),
    ("stance_share", 0.4, 0.8),
    ("asymmetry", -0.2, 0.2),
    ("f1_bw", 0.3, 3.0),
    ("fmin_bw", 0.1, 3.0),
    ("f2_bw", 0.3, 3.0),
    ("load_cv", 0.0, 0.2),
)


@dataclass(frozen=True, slots=True)
class FootTruth:
    """The events of one foot inside the recording, in s from its first sample, ascending.

    The walker is already walking at 0 s, so a foot may begin with either event.
    """

    heel_strikes_s: Floats
    toe_offs_s: Floats

    @property
    def stride_times_s(self) -> Floats:
        """From each heel strike to the next."""
        stride_times_s: Floats = np.diff(self.heel_strikes_s)
        return stride_times_s

    @property
    def stance_times_s(self) -> Floats:
        """From each heel strike to the toe-off that ends its stance, where both are inside the recording."""
        next_toe_off = np.searchsorted(self.toe_offs_s, self.heel_strikes_s)
        ended = next_toe_off < len(self.toe_offs_s)
        stance_times_s: Floats = self.toe_offs_s[next_toe_off[ended]] - self.heel_strikes_s[ended]
        return stance_times_s


@dataclass(frozen=True, slots=True)
class SyntheticGait:
    """A recording and the truth it was made from."""

    recording: Recording
    truth: dict[Side, FootTruth]


@dataclass(frozen=True, slots=True)
class _Stances:
    """The stances of one foot, also those that only reach into the recording: begin s, length s, load factor."""

    begin_s: Floats
    length_s: Floats
    load: Floats


def synthesize_gait(
    duration_s: float, *, seed: int, model: GaitModel | None = None, sample_rate_hz: float = 100.0, name: str = "walker"
) -> SyntheticGait:
    """Let a walker walk for `duration_s`; the same arguments give the same samples.

    Raises:
        SettingsError: if the duration holds no sample.
    """
    model = model or GaitModel()
    samples = round(duration_s * sample_rate_hz)
    if samples < 1:
        raise SettingsError(f"duration_s={duration_s:g} holds no sample at {sample_rate_hz:g} Hz")
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / sample_rate_hz
    feet = _walk(model, duration_s, rng)
    force = np.hstack([_foot_force(model, feet[side], time_s, side=side, rng=rng) for side in feet])
    recording = Recording(
        name=name,
        sensor_type=SENSOR.sensor_type,
        channels=SENSOR.channel_names,
        unit=SENSOR.unit,
        sample_rate_hz=sample_rate_hz,
        samples=np.round(force / FORCE_STEP_NEWTON) / round(1.0 / FORCE_STEP_NEWTON),
    )
    return SyntheticGait(recording, {side: _truth(stances, duration_s) for side, stances in feet.items()})


def _walk(model: GaitModel, duration_s: float, rng: Generator) -> dict[Side, _Stances]:
    """Left heel strikes follow each other by drawn stride times; each right one falls in the middle between."""
    shortest_s = model.stride_time_s * (1.0 - _MAX_DEVIATIONS * model.stride_time_cv)
    strides = int(np.ceil(duration_s / shortest_s)) + 4
    stride_s = model.stride_time_s * (1.0 + model.stride_time_cv * _draw(rng, strides))
    # Two strides of run-up, so that both feet are in the middle of walking at 0 s.
    left_s = np.concatenate(([0.0], np.cumsum(stride_s))) - stride_s[:2].sum() + 0.25 * model.stride_time_s
    right_s = (left_s[:-1] + left_s[1:]) / 2.0
    share = {"left": model.stance_share * (1.0 + model.asymmetry / 2.0)}
    share["right"] = 2.0 * model.stance_share - share["left"]
    return {
        "left": _stances(left_s, share["left"], 1.0 + model.asymmetry / 2.0, rng=rng, load_cv=model.load_cv),
        "right": _stances(right_s, share["right"], 1.0 - model.asymmetry / 2.0, rng=rng, load_cv=model.load_cv),
    }


def _stances(heel_strikes_s: Floats, share: float, load: float, *, rng: Generator, load_cv: float) -> _Stances:
    stride_s = np.diff(heel_strikes_s)
    return _Stances(heel_strikes_s[:-1], share * stride_s, load * (1.0 + load_cv * _draw(rng, len(stride_s))))


def _draw(rng: Generator, count: int) -> Floats:
    """Standard normal numbers, cut at three deviations so that no stride is absurd."""
    return np.clip(rng.standard_normal(count), -_MAX_DEVIATIONS, _MAX_DEVIATIONS)


def _truth(stances: _Stances, duration_s: float) -> FootTruth:
    toe_offs_s = stances.begin_s + stances.length_s
    return FootTruth(*(times[(times >= 0.0) & (times < duration_s)] for times in (stances.begin_s, toe_offs_s)))


def _foot_force(model: GaitModel, stances: _Stances, time_s: Floats, *, side: Side, rng: Generator) -> Floats:
    """Force of the eight sensors of one foot in N, shape [n, 8]; exactly 0 in swing."""
    index = np.searchsorted(stances.begin_s, time_s, side="right") - 1
    phase = (time_s - stances.begin_s[index]) / stances.length_s[index]
    body_weight_newton = model.body_mass_kg * GRAVITY_M_PER_S2
    total = np.where(phase < 1.0, body_weight_newton * stances.load[index] * double_hump(phase, model), 0.0)
    noise = 1.0 + _SENSOR_NOISE * _draw(rng, len(time_s) * _SENSORS_PER_FOOT).reshape(-1, _SENSORS_PER_FOOT)
    shares = _sensor_shares(phase, side) * noise
    force: Floats = total[:, None] * shares / shares.sum(axis=1, keepdims=True)
    return force


def double_hump(phase: Floats, model: GaitModel) -> Floats:
    """Total force in body weights over the phase of stance (0 heel strike, 1 toe-off).

    A quarter sine up to F1 and down from F2, half cosines over the valley: continuous, with its extremes exactly at
    F1, Fmin and F2, and steep enough at both ends that 20 N is passed within 4 ms of the true event.
    """
    _, first_peak, valley, second_peak, _ = _KNOTS
    position = np.clip(phase, 0.0, 1.0)
    rise = model.f1_bw * np.sin(np.pi / 2.0 * position / first_peak)
    down = _half_cosine(model.f1_bw, model.fmin_bw, (position - first_peak) / (valley - first_peak))
    up = _half_cosine(model.fmin_bw, model.f2_bw, (position - valley) / (second_peak - valley))
    fall = model.f2_bw * np.sin(np.pi / 2.0 * (1.0 - position) / (1.0 - second_peak))
    return np.select([position < first_peak, position < valley, position < second_peak], [rise, down, up], fall)


def _half_cosine(begin: float, end: float, position: Floats) -> Floats:
    shape: Floats = begin + (end - begin) * (1.0 - np.cos(np.pi * position)) / 2.0
    return shape


def _sensor_shares(phase: Floats, side: Side) -> Floats:
    """How much each sensor of a foot carries, [n, 8]: a bell around the centre of pressure, not yet normalised."""
    channels = SENSOR.channels[:_SENSORS_PER_FOOT] if side == "left" else SENSOR.channels[_SENSORS_PER_FOOT:]
    x = np.array([channel.x for channel in channels], dtype=np.float64)
    y = np.array([channel.y for channel in channels], dtype=np.float64)
    medial = 1.0 if side == "left" else -1.0
    position = np.clip(phase, 0.0, 1.0)[:, None]
    # The centre rolls from the outer heel over the outer edge to the big toe.
    centre_y = _HEEL_Y + (_TOE_Y - _HEEL_Y) * position
    centre_x = x.mean() + medial * 100.0 * (2.0 * position - 1.0)
    shares: Floats = np.exp(-(((y - centre_y) / _SPREAD_Y) ** 2 + ((x - centre_x) / _SPREAD_X) ** 2) / 2.0)
    return shares
