"""Strides: from contacts of both feet to the strides that statistics may use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.gait.contact import Contacts, FloatArray, IntArray

MIN_STRIDE_S = 0.6
MAX_STRIDE_S = 2.0
OUTLIER_SD = 3.0
START_EXCLUSION_S = 20.0
END_EXCLUSION_S = 5.0
START_SHARE = 1 / 6
END_SHARE = 1 / 24


@dataclass(frozen=True, slots=True)
class FootStrides:
    """Usable strides of one foot in time order, arrays of shape [k]; instants in seconds from the first sample.

    Attributes:
        strike, off, next_strike: heel strike, toe-off, next heel strike of this foot.
        other_off, other_strike: the other foot's toe-off and heel strike within this foot's stance; NaN where the
            other foot has none there, or lies in a gap.
        first, last: first and last sample of the stance.
    """

    strike: FloatArray
    off: FloatArray
    next_strike: FloatArray
    other_off: FloatArray
    other_strike: FloatArray
    first: IntArray
    last: IntArray

    @property
    def count(self) -> int:
        """How many strides."""
        return int(self.strike.size)

    @property
    def stride_time(self) -> FloatArray:
        """HS(i+1) - HS(i), s (Hausdorff 1995)."""
        return self.next_strike - self.strike

    @property
    def stance_time(self) -> FloatArray:
        """TO(i) - HS(i), s."""
        return self.off - self.strike

    @property
    def swing_time(self) -> FloatArray:
        """HS(i+1) - TO(i), s."""
        return self.next_strike - self.off

    @property
    def initial_double_support(self) -> FloatArray:
        """From this foot's heel strike to the other's toe-off, s."""
        return self.other_off - self.strike

    @property
    def double_support(self) -> FloatArray:
        """Stance minus the other foot's swing, s: both phases of the stride (holds for 99 % of gaitndd's strides)."""
        return self.stance_time - (self.other_strike - self.other_off)

    @property
    def other_step_time(self) -> FloatArray:
        """From this foot's heel strike to the other's, s: the step of the OTHER foot."""
        return self.other_strike - self.strike


def walking_bounds_s(duration_s: float) -> tuple[float, float]:
    """The part of a record that counts as steady walking, s.

    Start-up and end are excluded: 20 s and 5 s (gaitndd protocol, Hausdorff 1998) from 2 minutes on; a shorter
    record gives up 1/6 and 1/24 of its length, so that 20 s of walking still hold a dozen strides.
    """
    start = min(START_EXCLUSION_S, duration_s * START_SHARE)
    return start, duration_s - min(END_EXCLUSION_S, duration_s * END_SHARE)


def select_strides(own: Contacts, other: Contacts, *, missing: NDArray[np.bool_], sample_rate_hz: float) -> FootStrides:
    """Build the strides of the foot `own` and keep those that are steady walking without a gap.

    Args:
        own: contacts of this foot, in samples.
        other: contacts of the other foot.
        missing: shape [n], True where a sample is lost; a stride that touches one is dropped, never bridged.
        sample_rate_hz: to turn samples into seconds.

    Kept: strides of 0.6 to 2.0 s inside `walking_bounds_s`; then those within 3 SD of the median in stride,
    stance and swing time (turns), as in the gaitndd protocol.
    """
    strides = _build(own, other, sample_rate_hz)
    start_s, end_s = walking_bounds_s(missing.size / sample_rate_hz)
    with np.errstate(invalid="ignore"):
        usable = (strides.strike >= start_s) & (strides.next_strike <= end_s)
        usable &= (strides.stride_time >= MIN_STRIDE_S) & (strides.stride_time <= MAX_STRIDE_S)
        usable &= strides.swing_time > 0
    strides = _keep(strides, usable)
    strides = _keep(strides, _gap_free(strides, missing, sample_rate_hz))
    steady = _near_median(strides.stride_time) & _near_median(strides.stance_time) & _near_median(strides.swing_time)
    return _keep(strides, steady)


def _build(own: Contacts, other: Contacts, sample_rate_hz: float) -> FootStrides:
    """All consecutive contact pairs of one foot, with the other foot's swing inside the stance."""
    strike, off, next_strike = own.strike[:-1], own.off[:-1], own.strike[1:]
    other_off, other_strike = _other_swing(strike, off, other)
    return FootStrides(
        strike=strike / sample_rate_hz,
        off=off / sample_rate_hz,
        next_strike=next_strike / sample_rate_hz,
        other_off=other_off / sample_rate_hz,
        other_strike=other_strike / sample_rate_hz,
        first=own.first[:-1],
        last=own.last[:-1],
    )


def _other_swing(strike: FloatArray, off: FloatArray, other: Contacts) -> tuple[FloatArray, FloatArray]:
    """The other foot's toe-off and next heel strike, where both lie in the stance in this order."""
    swing_start, swing_end = other.off[:-1], other.strike[1:]
    known = np.isfinite(swing_start) & np.isfinite(swing_end)
    swing_start, swing_end = swing_start[known], swing_end[known]
    index = np.searchsorted(swing_start, strike, side="left")
    inside = index < swing_start.size
    safe = np.where(inside, index, 0)
    if swing_start.size == 0:
        nothing = np.full(strike.shape, np.nan)
        return nothing, nothing
    with np.errstate(invalid="ignore"):
        inside &= swing_end[safe] < off
    return np.where(inside, swing_start[safe], np.nan), np.where(inside, swing_end[safe], np.nan)


def _gap_free(strides: FootStrides, missing: NDArray[np.bool_], sample_rate_hz: float) -> NDArray[np.bool_]:
    """True where no lost sample lies in the stride or right beside its events."""
    lost_before = np.concatenate(([0], np.cumsum(missing)))
    low = np.floor(strides.strike * sample_rate_hz).astype(np.int64) - 1
    high = np.ceil(strides.next_strike * sample_rate_hz).astype(np.int64) + 1
    bounds = (0, missing.size)
    return np.asarray(lost_before[np.clip(high + 1, *bounds)] == lost_before[np.clip(low, *bounds)])


def _near_median(values: FloatArray) -> NDArray[np.bool_]:
    """True within 3 SD of the median."""
    if values.size <= 1:
        return np.ones(values.shape, dtype=np.bool_)
    # The tolerance keeps rounding noise of a perfectly even gait from counting as a turn.
    limit = OUTLIER_SD * float(np.std(values, ddof=1)) + 1e-9
    return np.asarray(np.abs(values - np.median(values)) <= limit)


def _keep(strides: FootStrides, mask: NDArray[np.bool_]) -> FootStrides:
    return FootStrides(*(getattr(strides, name)[mask] for name in FootStrides.__slots__))
