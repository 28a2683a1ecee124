"""Find the CO2 decay of an emptied room by itself, anywhere in a window, and judge whether it can be trusted.

A night must lie whole in one window to be judged well: give windows that begin at noon. A window may be cut anywhere
and last up to seven days; a night that it cuts off before the CO2 has come down is refused.

1. Medians of 10 min (robust against breath on the sensor; gaps bridged by straight lines).
2. The night: of all stretches that begin at some median and end where the CO2 has risen again by more than 75 ppm above
   its lowest so far (somebody is back; NDIR sensors are good to about 50 ppm), the one with the greatest fall.
3. Background Cbg: 1st percentile of the night's readings, minus 5 ppm.
4. Every 10 min of the night is tried as the start of a 2-hour line through ln(C - Cbg). Accepted: R2 > 0.98, fall
   > 200 ppm, readings in at least nine of the twelve 10-min steps. Of these the one with the steepest fall in its first
   30 min is taken: the CO2 falls fastest when the last person leaves; before, people still breathe out.
5. Refused where the background is not that of an emptied room: the assumed or the fitted one (C = Cbg + A exp(-k t),
   fitted to the medians from the start to the end of the night) is 700 ppm or more, or the two differ by more than
   50 ppm, or less than eight hours of the decay are seen and the assumed one is more than 50 ppm above outdoor air:
   such a night is cut off too early.
6. Refused as no decay where k of that fit differs by more than 30 %: a straight fall, or people who leave one by one,
   may look exponential for two hours but not for a night.

Two hours resolve up to about 2 air changes per hour: faster decays reach the background, lose R2, and are refused.
Source of the method: ASTM E741-11, ASTM D6245-18, Batterman 2017. The limits of 2, 5 and 6 are this module's own, about
the accuracy of an NDIR sensor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from schemas.environment import EnvironmentReason as Why
from udfs.environment.features import Features, Reasons, code_of, first_reason, level_reason
from udfs.environment.segments import median
from udfs.environment.ventilation import FreeFit, LineFit, fit_free_decay, fit_log_decay
from udfs.environment.window import US_PER_S, BoolArray, FloatArray, Frame, IntArray, Series

MIN_WINDOW_S = 4 * 3_600.0
STEP_S = 600.0
RETURN_PPM = 75.0
BACKGROUND_PERCENTILE = 1.0
BACKGROUND_MARGIN_PPM = 5.0
FIT_STEPS = 12
"""Two hours."""
MIN_FIT_STEPS = 9
STEEP_STEPS = 3
"""30 minutes."""
MIN_R2 = 0.98
MIN_DROP_PPM = 200.0
MAX_RATE_DISAGREEMENT = 0.3
MAX_BACKGROUND_PPM = 700.0
MAX_DISAGREEMENT_PPM = 50.0
WHOLE_NIGHT_S = 8 * 3_600.0
MAX_EXCESS_OF_CUT_NIGHT_PPM = 50.0
_FEATURES = 7


@dataclass(frozen=True, slots=True)
class Decay:
    """An accepted decay.

    Attributes:
        rate_per_h, r2: of the line over two hours.
        drop_ppm: how far the line falls in them.
        start_s: from the window's start.
        background_ppm: the assumed one.
        free: the fit over the whole night with the background as a parameter.
    """

    rate_per_h: float
    r2: float
    drop_ppm: float
    start_s: float
    background_ppm: float
    free: FreeFit


@dataclass(frozen=True, slots=True)
class _Night:
    """Readings of the night: time in s from the window's start and ppm, shape [n]; its steps `first` to `end`."""

    time_s: FloatArray
    co2_ppm: FloatArray
    first: int
    end: int


def air_change_features(co2: Series, frame: Frame, outdoor_co2_ppm: float) -> Features:
    """The group `air_changes` (see `schemas.environment`); missing in windows shorter than 4 h.

    Loops over the windows with CO2 and of 4 h and more: about 2 ms each for a day of one-minute readings.
    """
    values = np.full((frame.count, _FEATURES), np.nan)
    found = np.zeros(frame.count, dtype=np.int8)
    long = frame.length_s >= MIN_WINDOW_S
    first = co2.first
    for row in np.flatnonzero(long & (co2.count > 0)):
        place = slice(first[row], first[row] + co2.count[row])
        time_s = (co2.time_us[place] - frame.start_us[row]) / US_PER_S
        decay = find_decay(time_s, co2.value[place], float(frame.length_s[row]), outdoor_co2_ppm)
        if isinstance(decay, Why):
            found[row] = code_of(decay)
        else:
            values[row] = _row(decay)
    return Features(values={"air_changes": values}, reasons={"air_changes": _reasons(co2, frame, long, found)})


def _reasons(co2: Series, frame: Frame, long: BoolArray, found: Reasons) -> Reasons:
    return first_reason((frame.bad, Why.BAD_WINDOW), (~long, Why.WINDOW_TOO_SHORT), level_reason(co2, frame), found)


def _row(decay: Decay) -> tuple[float, ...]:
    free = decay.free
    return (
        decay.rate_per_h,
        decay.r2,
        decay.drop_ppm,
        decay.start_s,
        decay.background_ppm,
        free.background_ppm,
        free.rate_per_h,
    )


def find_decay(time_s: FloatArray, co2_ppm: FloatArray, length_s: float, outdoor_co2_ppm: float = 420.0) -> Decay | Why:
    """The decay of one window, or why there is none; the method stands above.

    Args:
        time_s: shape [n], s from the window's start, ascending.
        co2_ppm: shape [n], ppm, all valid.
        length_s: of the window.
        outdoor_co2_ppm: what a night that is cut off must come down to.
    """
    step = (time_s // STEP_S).astype(np.int64)
    count = np.bincount(step, minlength=int(np.ceil(length_s / STEP_S)))
    medians = median(step, co2_ppm, count)
    filled = np.flatnonzero(count)
    if filled.size < FIT_STEPS:
        return Why.TOO_FEW_READINGS
    first, end = _longest_fall(np.interp(np.arange(filled[-1] + 1), filled, medians[filled]))
    if end - first < FIT_STEPS:
        return Why.SMALL_DROP
    inside = (step >= first) & (step < end)
    night = _Night(time_s[inside], co2_ppm[inside], first, end)
    background = float(np.percentile(night.co2_ppm, BACKGROUND_PERCENTILE)) - BACKGROUND_MARGIN_PPM
    chosen = _choose(night, medians, count, background)
    if isinstance(chosen, Why):
        return chosen
    start, rate, r2, drop = chosen
    free = _free_fit(medians, start, end)
    if free is None:
        return Why.NOT_A_DECAY
    cut = (end - start) * STEP_S < WHOLE_NIGHT_S
    return _judged(
        Decay(rate, r2, drop, start * STEP_S, background, free),
        floor_ppm=outdoor_co2_ppm + MAX_EXCESS_OF_CUT_NIGHT_PPM if cut else MAX_BACKGROUND_PPM,
    )


def _longest_fall(medians: FloatArray) -> tuple[int, int]:
    """First step and past-the-end step of the stretch with the greatest fall; medians of shape [b], none missing."""
    steps = np.arange(medians.size)
    later = steps[None, :] >= steps[:, None]
    # Row s: the lowest CO2 from step s on up to each step; a rise above it ends the stretch that began at s.
    low = np.minimum.accumulate(np.where(later, medians[None, :], np.inf), axis=1)
    back = later & (medians[None, :] - np.where(later, low, 0.0) > RETURN_PPM)
    end = np.where(back.any(axis=1), back.argmax(axis=1), medians.size)
    fall = medians - low[steps, end - 1]
    first = int(np.argmax(fall))
    return first, int(end[first])


def _choose(
    night: _Night, medians: FloatArray, count: IntArray, background_ppm: float
) -> tuple[int, float, float, float] | Why:
    """The accepted start with the steepest fall: step, air changes per h, R2, drop in ppm."""
    starts = np.arange(night.first, night.end - FIT_STEPS + 1)
    filled = sliding_window_view(count[night.first : night.end] > 0, FIT_STEPS)
    covered = filled.sum(axis=1) >= MIN_FIT_STEPS
    line = _lines(night, starts, background_ppm)
    drop = line.start_ppm * -np.expm1(-line.rate_per_h * (FIT_STEPS * STEP_S / 3_600.0))
    deep = covered & (drop > MIN_DROP_PPM)
    accepted = deep & (line.r2 > MIN_R2)
    if not covered.any():
        return Why.TOO_FEW_READINGS
    if not accepted.any():
        return Why.NOT_A_DECAY if deep.any() else Why.SMALL_DROP
    steep = medians[starts] - medians[starts + STEEP_STEPS]
    best = int(np.argmax(np.where(accepted & np.isfinite(steep), steep, -np.inf)))
    if not accepted[best]:
        return Why.TOO_FEW_READINGS
    return int(starts[best]), float(line.rate_per_h[best]), float(line.r2[best]), float(drop[best])


def _lines(night: _Night, starts: IntArray, background_ppm: float) -> LineFit:
    """A line over the two hours from each start."""
    begin = np.searchsorted(night.time_s, starts * STEP_S)
    end = np.searchsorted(night.time_s, (starts + FIT_STEPS) * STEP_S)
    place = begin[:, None] + np.arange(int((end - begin).max()))
    inside = place < end[:, None]
    place = np.minimum(place, night.time_s.size - 1)
    time_h = np.where(inside, (night.time_s[place] - (starts * STEP_S)[:, None]) / 3_600.0, np.nan)
    return fit_log_decay(time_h, np.where(inside, night.co2_ppm[place], np.nan), background_ppm)


def _free_fit(medians: FloatArray, start: int, end: int) -> FreeFit | None:
    """Over the medians, which single breaths do not disturb."""
    step = start + np.flatnonzero(np.isfinite(medians[start:end]))
    return fit_free_decay((step - start) * (STEP_S / 3_600.0), medians[step])


def _judged(decay: Decay, *, floor_ppm: float) -> Decay | Why:
    """The decay, or what is wrong with it; its background must not lie above `floor_ppm`."""
    backgrounds = (decay.background_ppm, decay.free.background_ppm)
    if max(backgrounds) >= MAX_BACKGROUND_PPM:
        return Why.BACKGROUND_TOO_HIGH
    if abs(backgrounds[0] - backgrounds[1]) > MAX_DISAGREEMENT_PPM or backgrounds[0] > floor_ppm:
        return Why.BACKGROUND_NOT_REACHED
    if abs(decay.free.rate_per_h / decay.rate_per_h - 1.0) > MAX_RATE_DISAGREEMENT:
        return Why.NOT_A_DECAY
    return decay
